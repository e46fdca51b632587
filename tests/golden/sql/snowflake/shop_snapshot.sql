WITH "t12" AS (
  SELECT
    "t11"."person_key",
    SUM(IFF("t11"."event" IS NOT NULL, 1, 0)) AS "seen",
    SUM(
      IFF(
        "t11"."event" IN ('product_viewed', 'product_added', 'checkout_started', 'care_guide_viewed')
        AND (
          "t11"."occurred_at" > TIMESTAMP_FROM_PARTS(2025, 4, 1, 23, 59, 59, 999999000)
        ),
        1,
        0
      )
    ) AS "touches_90d",
    SUM(IFF("t11"."event" IN ('signed_up', 'lead_generated'), 1, 0)) AS "leads",
    SUM(
      IFF(
        "t11"."event" IN ('order_completed')
        AND (
          "t11"."standing_after_order_refunded" IS NOT NULL
        ),
        1,
        0
      )
    ) AS "orders",
    SUM(
      IFF(
        "t11"."event" IN ('order_completed')
        AND (
          "t11"."occurred_at" > TIMESTAMP_FROM_PARTS(2025, 1, 1, 23, 59, 59, 999999000)
        )
        AND (
          "t11"."standing_after_order_refunded" IS NOT NULL
        ),
        1,
        0
      )
    ) AS "orders_180d",
    SUM(
      IFF(
        "t11"."event" IN ('order_completed')
        AND (
          "t11"."occurred_at" > TIMESTAMP_FROM_PARTS(2024, 6, 30, 23, 59, 59, 999999000)
        )
        AND (
          "t11"."standing_after_order_refunded" IS NOT NULL
        ),
        "t11"."standing_after_order_refunded",
        0
      )
    ) AS "spend_365d",
    SUM(
      IFF(
        "t11"."event" IN ('referral_converted')
        AND (
          "t11"."occurred_at" > TIMESTAMP_FROM_PARTS(2024, 6, 30, 23, 59, 59, 999999000)
        ),
        1,
        0
      )
    ) AS "referrals_365d"
  FROM (
    SELECT
      *
    FROM (
      SELECT
        "t0"."person_key",
        "t0"."event",
        "t0"."occurred_at",
        "t0"."known_at",
        "t0"."business_day",
        "t0"."order_id",
        "t0"."revenue",
        "t0"."session_id",
        "t0"."channel",
        "t0"."refunded_at",
        "t0"."device_key",
        "t0"."linked_at",
        "t0"."cost",
        COALESCE("t0"."revenue", 0) AS "standing_after_order_refunded"
      FROM "log" AS "t0"
      WHERE
        "t0"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
        AND NOT (
          (
            "t0"."refunded_at" IS NOT NULL
          )
          AND (
            "t0"."refunded_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
          )
        )
    ) AS "t5"
    UNION ALL
    SELECT
      *
    FROM (
      SELECT
        "t9"."person_key",
        "t9"."event",
        "t9"."occurred_at",
        "t9"."known_at",
        "t9"."business_day",
        "t9"."order_id",
        "t9"."revenue",
        "t9"."session_id",
        "t9"."channel",
        "t9"."refunded_at",
        "t9"."device_key",
        "t9"."linked_at",
        "t9"."cost",
        CASE
          WHEN "t9"."given" IS NULL
          THEN "t9"."paid"
          WHEN "t9"."given" < "t9"."paid"
          THEN "t9"."paid" - "t9"."given"
          ELSE NULL
        END AS "standing_after_order_refunded"
      FROM (
        SELECT
          "t4"."person_key",
          "t4"."event",
          "t4"."occurred_at",
          "t4"."known_at",
          "t4"."business_day",
          "t4"."order_id",
          "t4"."revenue",
          "t4"."session_id",
          "t4"."channel",
          "t4"."refunded_at",
          "t4"."device_key",
          "t4"."linked_at",
          "t4"."cost",
          "t4"."paid",
          "t8"."person_key" AS "person_key_right",
          "t8"."order_id" AS "order_id_right",
          "t8"."given"
        FROM (
          SELECT
            "t0"."person_key",
            "t0"."event",
            "t0"."occurred_at",
            "t0"."known_at",
            "t0"."business_day",
            "t0"."order_id",
            "t0"."revenue",
            "t0"."session_id",
            "t0"."channel",
            "t0"."refunded_at",
            "t0"."device_key",
            "t0"."linked_at",
            "t0"."cost",
            COALESCE("t0"."revenue", 0) AS "paid"
          FROM "log" AS "t0"
          WHERE
            "t0"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
            AND "t0"."refunded_at" IS NOT NULL
            AND "t0"."refunded_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
        ) AS "t4"
        LEFT OUTER JOIN (
          SELECT
            "t6"."person_key",
            "t6"."order_id",
            IFF("t6"."everything" = 1, 10000000000000000, "t6"."amount") AS "given"
          FROM (
            SELECT
              "t2"."person_key",
              "t2"."order_id",
              SUM(COALESCE("t2"."revenue", 0)) AS "amount",
              MAX(CAST("t2"."revenue" IS NULL AS BIGINT)) AS "everything"
            FROM (
              SELECT
                *
              FROM "log" AS "t0"
              WHERE
                "t0"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
                AND "t0"."event" = 'order_refunded'
                AND "t0"."order_id" IS NOT NULL
            ) AS "t2"
            GROUP BY
              1,
              2
          ) AS "t6"
        ) AS "t8"
          ON "t4"."person_key" = "t8"."person_key" AND "t4"."order_id" = "t8"."order_id"
      ) AS "t9"
    ) AS "t10"
  ) AS "t11"
  GROUP BY
    1
), "t17" AS (
  SELECT
    "t1"."person_key",
    "t1"."event",
    "t1"."occurred_at",
    "t1"."known_at",
    "t1"."business_day",
    "t1"."order_id",
    "t1"."revenue",
    "t1"."session_id",
    "t1"."channel",
    "t1"."refunded_at",
    "t1"."device_key",
    "t1"."linked_at",
    "t1"."cost"
  FROM "log" AS "t1"
  WHERE
    EXISTS(
      SELECT
        1
      FROM (
        SELECT
          "t13"."person_key"
        FROM "t12" AS "t13"
        WHERE
          NOT (
            (
              "t13"."spend_365d" < 30000
            ) OR (
              "t13"."orders_180d" = 0
            )
          )
          AND NOT (
            (
              "t13"."spend_365d" >= 50000
            ) AND (
              "t13"."orders" >= 2
            )
          )
      ) AS "t16"
      WHERE
        "t1"."person_key" = "t16"."person_key"
    )
), "t32" AS (
  SELECT
    "t23"."person_key",
    "t23"."event",
    "t23"."occurred_at",
    GREATEST("t30"."back_at", "t23"."occurred_at") AS "back_at",
    LEAST(COALESCE("t23"."revenue", 0), "t30"."after") - LEAST(COALESCE("t23"."revenue", 0), "t30"."before") AS "amount"
  FROM (
    SELECT
      *
    FROM "t17" AS "t18"
    WHERE
      "t18"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
      AND "t18"."refunded_at" IS NOT NULL
      AND "t18"."refunded_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
  ) AS "t23"
  INNER JOIN (
    SELECT
      "t28"."person_key",
      "t28"."order_id",
      "t28"."back_at",
      "t28"."after",
      COALESCE(
        LAG("t28"."after") OVER (PARTITION BY "t28"."person_key", "t28"."order_id" ORDER BY "t28"."back_at" ASC),
        0
      ) AS "before"
    FROM (
      SELECT
        "t27"."person_key",
        "t27"."order_id",
        "t27"."back_at",
        "t27"."amount",
        "t27"."everything",
        IFF(
          MAX("t27"."everything") OVER (
            PARTITION BY "t27"."person_key", "t27"."order_id"
            ORDER BY "t27"."back_at" ASC
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) = 1,
          10000000000000000,
          SUM("t27"."amount") OVER (
            PARTITION BY "t27"."person_key", "t27"."order_id"
            ORDER BY "t27"."back_at" ASC
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          )
        ) AS "after"
      FROM (
        SELECT
          "t19"."person_key",
          "t19"."order_id",
          "t19"."occurred_at" AS "back_at",
          SUM(COALESCE("t19"."revenue", 0)) AS "amount",
          MAX(CAST("t19"."revenue" IS NULL AS BIGINT)) AS "everything"
        FROM (
          SELECT
            *
          FROM "t17" AS "t18"
          WHERE
            "t18"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
            AND "t18"."event" = 'order_refunded'
            AND "t18"."order_id" IS NOT NULL
        ) AS "t19"
        GROUP BY
          1,
          2,
          3
      ) AS "t27"
    ) AS "t28"
  ) AS "t30"
    ON "t23"."person_key" = "t30"."person_key" AND "t23"."order_id" = "t30"."order_id"
), "t40" AS (
  SELECT
    *
  FROM (
    SELECT
      "t18"."person_key",
      "t18"."event",
      "t18"."occurred_at",
      "t18"."known_at",
      "t18"."business_day",
      "t18"."order_id",
      "t18"."revenue",
      "t18"."session_id",
      "t18"."channel",
      "t18"."refunded_at",
      "t18"."device_key",
      "t18"."linked_at",
      "t18"."cost",
      CAST(NULL AS TIMESTAMP) AS "reversed_at_order_refunded"
    FROM "t17" AS "t18"
    WHERE
      "t18"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
      AND NOT (
        (
          "t18"."refunded_at" IS NOT NULL
        )
        AND (
          "t18"."refunded_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
        )
      )
  ) AS "t26"
  UNION ALL
  SELECT
    *
  FROM (
    SELECT
      "t24"."person_key",
      "t24"."event",
      "t24"."occurred_at",
      "t24"."known_at",
      "t24"."business_day",
      "t24"."order_id",
      "t24"."revenue",
      "t24"."session_id",
      "t24"."channel",
      "t24"."refunded_at",
      "t24"."device_key",
      "t24"."linked_at",
      "t24"."cost",
      "t36"."reversed_at_order_refunded"
    FROM (
      SELECT
        "t18"."person_key",
        "t18"."event",
        "t18"."occurred_at",
        "t18"."known_at",
        "t18"."business_day",
        "t18"."order_id",
        "t18"."revenue",
        "t18"."session_id",
        "t18"."channel",
        "t18"."refunded_at",
        "t18"."device_key",
        "t18"."linked_at",
        "t18"."cost",
        COALESCE("t18"."revenue", 0) AS "paid"
      FROM "t17" AS "t18"
      WHERE
        "t18"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
        AND "t18"."refunded_at" IS NOT NULL
        AND "t18"."refunded_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
    ) AS "t24"
    LEFT OUTER JOIN (
      SELECT
        "t34"."person_key",
        "t34"."order_id",
        "t34"."paid",
        MIN("t34"."back_at") AS "reversed_at_order_refunded"
      FROM (
        SELECT
          *
        FROM (
          SELECT
            "t25"."person_key",
            "t25"."order_id",
            "t25"."paid",
            "t30"."back_at",
            "t30"."after",
            "t30"."before"
          FROM (
            SELECT DISTINCT
              "t18"."person_key",
              "t18"."order_id",
              COALESCE("t18"."revenue", 0) AS "paid"
            FROM "t17" AS "t18"
            WHERE
              "t18"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
              AND "t18"."refunded_at" IS NOT NULL
              AND "t18"."refunded_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
          ) AS "t25"
          INNER JOIN (
            SELECT
              "t28"."person_key",
              "t28"."order_id",
              "t28"."back_at",
              "t28"."after",
              COALESCE(
                LAG("t28"."after") OVER (PARTITION BY "t28"."person_key", "t28"."order_id" ORDER BY "t28"."back_at" ASC),
                0
              ) AS "before"
            FROM (
              SELECT
                "t27"."person_key",
                "t27"."order_id",
                "t27"."back_at",
                "t27"."amount",
                "t27"."everything",
                IFF(
                  MAX("t27"."everything") OVER (
                    PARTITION BY "t27"."person_key", "t27"."order_id"
                    ORDER BY "t27"."back_at" ASC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                  ) = 1,
                  10000000000000000,
                  SUM("t27"."amount") OVER (
                    PARTITION BY "t27"."person_key", "t27"."order_id"
                    ORDER BY "t27"."back_at" ASC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                  )
                ) AS "after"
              FROM (
                SELECT
                  "t19"."person_key",
                  "t19"."order_id",
                  "t19"."occurred_at" AS "back_at",
                  SUM(COALESCE("t19"."revenue", 0)) AS "amount",
                  MAX(CAST("t19"."revenue" IS NULL AS BIGINT)) AS "everything"
                FROM (
                  SELECT
                    *
                  FROM "t17" AS "t18"
                  WHERE
                    "t18"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
                    AND "t18"."event" = 'order_refunded'
                    AND "t18"."order_id" IS NOT NULL
                ) AS "t19"
                GROUP BY
                  1,
                  2,
                  3
              ) AS "t27"
            ) AS "t28"
          ) AS "t30"
            ON "t25"."person_key" = "t30"."person_key" AND "t25"."order_id" = "t30"."order_id"
        ) AS "t31"
        WHERE
          "t31"."after" >= "t31"."paid"
      ) AS "t34"
      GROUP BY
        1,
        2,
        3
    ) AS "t36"
      ON "t24"."person_key" = "t36"."person_key"
      AND "t24"."order_id" = "t36"."order_id"
      AND "t24"."paid" = "t36"."paid"
  ) AS "t39"
)
SELECT
  "t57"."person_key",
  CAST(CASE
    WHEN (
      "t57"."referrals_365d" > 0
    ) AND (
      "t57"."orders_180d" >= 1
    )
    THEN 51
    WHEN CASE
      WHEN (
        "t57"."spend_365d" < 30000
      ) OR (
        "t57"."orders_180d" = 0
      )
      THEN FALSE
      WHEN (
        "t57"."spend_365d" >= 50000
      ) AND (
        "t57"."orders" >= 2
      )
      THEN TRUE
      ELSE COALESCE("t57"."latched_vip", FALSE)
    END
    THEN 43
    WHEN (
      "t57"."orders" >= 2
    ) AND (
      "t57"."orders_180d" >= 1
    )
    THEN 42
    WHEN (
      "t57"."orders" >= 1
    ) AND (
      "t57"."orders_180d" = 0
    )
    THEN 41
    WHEN (
      "t57"."orders" = 1
    ) AND (
      "t57"."orders_180d" >= 1
    )
    THEN 31
    WHEN "t57"."leads" > 0
    THEN 22
    WHEN "t57"."touches_90d" > 0
    THEN 21
    WHEN "t57"."seen" > 0
    THEN 11
    ELSE 0
  END AS BIGINT) AS "rank"
FROM (
  SELECT
    "t56".*
    EXCLUDE ("person_key_right")
  FROM (
    SELECT
      "t14"."person_key",
      "t14"."seen",
      "t14"."touches_90d",
      "t14"."leads",
      "t14"."orders",
      "t14"."orders_180d",
      "t14"."spend_365d",
      "t14"."referrals_365d",
      "t55"."person_key" AS "person_key_right",
      "t55"."latched_vip"
    FROM "t12" AS "t14"
    LEFT OUTER JOIN (
      SELECT
        "t53"."person_key",
        COALESCE(
          (
            MAX(
              (
                "t53"."instant_number" * 2
              ) + CASE
                WHEN (
                  "t53"."spend_365d" < 30000
                ) OR (
                  "t53"."orders_180d" = 0
                )
                THEN 0
                WHEN (
                  "t53"."spend_365d" >= 50000
                ) AND (
                  "t53"."orders" >= 2
                )
                THEN 1
                ELSE CAST(NULL AS BIGINT)
              END
            ) % 2
          ) = 1,
          FALSE
        ) AS "latched_vip"
      FROM (
        SELECT
          "t52"."person_key",
          "t52"."at",
          "t52"."orders",
          "t52"."orders_180d",
          "t52"."spend_365d",
          ROW_NUMBER() OVER (PARTITION BY "t52"."person_key" ORDER BY "t52"."at" ASC) - 1 AS "instant_number"
        FROM (
          SELECT
            "t51"."person_key",
            "t51"."at",
            SUM("t51"."orders") OVER (
              PARTITION BY "t51"."person_key"
              ORDER BY "t51"."at" ASC
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS "orders",
            SUM("t51"."orders_180d") OVER (
              PARTITION BY "t51"."person_key"
              ORDER BY "t51"."at" ASC
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS "orders_180d",
            SUM("t51"."spend_365d") OVER (
              PARTITION BY "t51"."person_key"
              ORDER BY "t51"."at" ASC
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS "spend_365d"
          FROM (
            SELECT
              "t50"."person_key",
              "t50"."at",
              SUM("t50"."orders") AS "orders",
              SUM("t50"."orders_180d") AS "orders_180d",
              SUM("t50"."spend_365d") AS "spend_365d"
            FROM (
              SELECT
                *
              FROM (
                SELECT
                  *
                FROM (
                  SELECT
                    *
                  FROM (
                    SELECT
                      *
                    FROM (
                      SELECT
                        *
                      FROM (
                        SELECT
                          "t41"."person_key",
                          "t41"."occurred_at" AS "at",
                          IFF(
                            "t41"."event" IN ('order_completed')
                            AND (
                              (
                                "t41"."reversed_at_order_refunded" IS NULL
                              )
                              OR (
                                "t41"."reversed_at_order_refunded" > "t41"."occurred_at"
                              )
                            ),
                            1,
                            0
                          ) AS "orders",
                          IFF(
                            "t41"."event" IN ('order_completed')
                            AND (
                              (
                                "t41"."reversed_at_order_refunded" IS NULL
                              )
                              OR (
                                "t41"."reversed_at_order_refunded" > "t41"."occurred_at"
                              )
                            ),
                            1,
                            0
                          ) AS "orders_180d",
                          IFF("t41"."event" IN ('order_completed'), COALESCE("t41"."revenue", 0), 0) AS "spend_365d"
                        FROM "t40" AS "t41"
                      ) AS "t43"
                      UNION ALL
                      SELECT
                        *
                      FROM (
                        SELECT
                          "t41"."person_key",
                          DATEADD(DAY, '180', "t41"."occurred_at") AS "at",
                          0 AS "orders",
                          IFF(
                            "t41"."event" IN ('order_completed')
                            AND (
                              (
                                "t41"."reversed_at_order_refunded" IS NULL
                              )
                              OR (
                                "t41"."reversed_at_order_refunded" >= DATEADD(DAY, '180', "t41"."occurred_at")
                              )
                            ),
                            -(
                              1
                            ),
                            0
                          ) AS "orders_180d",
                          0 AS "spend_365d"
                        FROM "t40" AS "t41"
                        WHERE
                          "t41"."event" IN ('order_completed')
                          AND "t41"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 1, 1, 23, 59, 59, 999999000)
                      ) AS "t45"
                    ) AS "t46"
                    UNION ALL
                    SELECT
                      *
                    FROM (
                      SELECT
                        "t41"."person_key",
                        DATEADD(DAY, '365', "t41"."occurred_at") AS "at",
                        0 AS "orders",
                        0 AS "orders_180d",
                        IFF("t41"."event" IN ('order_completed'), -(
                          COALESCE("t41"."revenue", 0)
                        ), 0) AS "spend_365d"
                      FROM "t40" AS "t41"
                      WHERE
                        "t41"."event" IN ('order_completed')
                        AND "t41"."occurred_at" <= TIMESTAMP_FROM_PARTS(2024, 6, 30, 23, 59, 59, 999999000)
                    ) AS "t42"
                  ) AS "t47"
                  UNION ALL
                  SELECT
                    *
                  FROM (
                    SELECT
                      "t41"."person_key",
                      "t41"."reversed_at_order_refunded" AS "at",
                      IFF("t41"."event" IN ('order_completed'), -(
                        1
                      ), 0) AS "orders",
                      IFF(
                        "t41"."event" IN ('order_completed')
                        AND (
                          "t41"."reversed_at_order_refunded" < DATEADD(DAY, '180', "t41"."occurred_at")
                        ),
                        -(
                          1
                        ),
                        0
                      ) AS "orders_180d",
                      0 AS "spend_365d"
                    FROM "t40" AS "t41"
                    WHERE
                      "t41"."reversed_at_order_refunded" > "t41"."occurred_at"
                  ) AS "t44"
                ) AS "t48"
                UNION ALL
                SELECT
                  *
                FROM (
                  SELECT
                    "t33"."person_key",
                    "t33"."back_at" AS "at",
                    0 AS "orders",
                    0 AS "orders_180d",
                    IFF(
                      "t33"."event" IN ('order_completed')
                      AND (
                        "t33"."back_at" < DATEADD(DAY, '365', "t33"."occurred_at")
                      ),
                      -(
                        "t33"."amount"
                      ),
                      0
                    ) AS "spend_365d"
                  FROM "t32" AS "t33"
                  WHERE
                    "t33"."amount" > 0
                ) AS "t38"
              ) AS "t49"
              UNION ALL
              SELECT
                *
              FROM (
                SELECT
                  "t33"."person_key",
                  DATEADD(DAY, '365', "t33"."occurred_at") AS "at",
                  0 AS "orders",
                  0 AS "orders_180d",
                  IFF(
                    "t33"."event" IN ('order_completed')
                    AND (
                      "t33"."back_at" < DATEADD(DAY, '365', "t33"."occurred_at")
                    ),
                    "t33"."amount",
                    0
                  ) AS "spend_365d"
                FROM "t32" AS "t33"
                WHERE
                  "t33"."amount" > 0
                  AND "t33"."occurred_at" <= TIMESTAMP_FROM_PARTS(2024, 6, 30, 23, 59, 59, 999999000)
              ) AS "t37"
            ) AS "t50"
            GROUP BY
              1,
              2
          ) AS "t51"
        ) AS "t52"
      ) AS "t53"
      GROUP BY
        1
    ) AS "t55"
      ON "t14"."person_key" = "t55"."person_key"
  ) AS "t56"
) AS "t57"
