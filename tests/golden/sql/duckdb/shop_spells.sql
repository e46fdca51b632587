WITH "t14" AS (
  SELECT
    "t5"."person_key",
    "t5"."event",
    "t5"."occurred_at",
    GREATEST("t12"."back_at", "t5"."occurred_at") AS "back_at",
    LEAST(COALESCE("t5"."revenue", 0), "t12"."after") - LEAST(COALESCE("t5"."revenue", 0), "t12"."before") AS "amount"
  FROM (
    SELECT
      *
    FROM "log" AS "t0"
    WHERE
      "t0"."occurred_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
      AND "t0"."refunded_at" IS NOT NULL
      AND "t0"."refunded_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
  ) AS "t5"
  INNER JOIN (
    SELECT
      "t10"."person_key",
      "t10"."order_id",
      "t10"."back_at",
      "t10"."after",
      COALESCE(
        LAG("t10"."after") OVER (
          PARTITION BY "t10"."person_key", "t10"."order_id"
          ORDER BY "t10"."back_at" ASC
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ),
        0
      ) AS "before"
    FROM (
      SELECT
        "t9"."person_key",
        "t9"."order_id",
        "t9"."back_at",
        "t9"."amount",
        "t9"."everything",
        CASE
          WHEN MAX("t9"."everything") OVER (
            PARTITION BY "t9"."person_key", "t9"."order_id"
            ORDER BY "t9"."back_at" ASC
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) = 1
          THEN 10000000000000000
          ELSE SUM("t9"."amount") OVER (
            PARTITION BY "t9"."person_key", "t9"."order_id"
            ORDER BY "t9"."back_at" ASC
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          )
        END AS "after"
      FROM (
        SELECT
          "t1"."person_key",
          "t1"."order_id",
          "t1"."occurred_at" AS "back_at",
          SUM(COALESCE("t1"."revenue", 0)) AS "amount",
          MAX(CAST("t1"."revenue" IS NULL AS BIGINT)) AS "everything"
        FROM (
          SELECT
            *
          FROM "log" AS "t0"
          WHERE
            "t0"."occurred_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
            AND "t0"."event" = 'order_refunded'
            AND "t0"."order_id" IS NOT NULL
        ) AS "t1"
        GROUP BY
          1,
          2,
          3
      ) AS "t9"
    ) AS "t10"
  ) AS "t12"
    ON "t5"."person_key" = "t12"."person_key" AND "t5"."order_id" = "t12"."order_id"
), "t22" AS (
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
      CAST(NULL AS TIMESTAMP) AS "reversed_at_order_refunded"
    FROM "log" AS "t0"
    WHERE
      "t0"."occurred_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
      AND NOT (
        (
          "t0"."refunded_at" IS NOT NULL
        )
        AND (
          "t0"."refunded_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
        )
      )
  ) AS "t8"
  UNION ALL
  SELECT
    *
  FROM (
    SELECT
      "t6"."person_key",
      "t6"."event",
      "t6"."occurred_at",
      "t6"."known_at",
      "t6"."business_day",
      "t6"."order_id",
      "t6"."revenue",
      "t6"."session_id",
      "t6"."channel",
      "t6"."refunded_at",
      "t6"."device_key",
      "t6"."linked_at",
      "t6"."cost",
      "t18"."reversed_at_order_refunded"
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
        "t0"."occurred_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
        AND "t0"."refunded_at" IS NOT NULL
        AND "t0"."refunded_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
    ) AS "t6"
    LEFT OUTER JOIN (
      SELECT
        "t16"."person_key",
        "t16"."order_id",
        "t16"."paid",
        MIN("t16"."back_at") AS "reversed_at_order_refunded"
      FROM (
        SELECT
          *
        FROM (
          SELECT
            "t7"."person_key",
            "t7"."order_id",
            "t7"."paid",
            "t12"."back_at",
            "t12"."after",
            "t12"."before"
          FROM (
            SELECT DISTINCT
              "t0"."person_key",
              "t0"."order_id",
              COALESCE("t0"."revenue", 0) AS "paid"
            FROM "log" AS "t0"
            WHERE
              "t0"."occurred_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
              AND "t0"."refunded_at" IS NOT NULL
              AND "t0"."refunded_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
          ) AS "t7"
          INNER JOIN (
            SELECT
              "t10"."person_key",
              "t10"."order_id",
              "t10"."back_at",
              "t10"."after",
              COALESCE(
                LAG("t10"."after") OVER (
                  PARTITION BY "t10"."person_key", "t10"."order_id"
                  ORDER BY "t10"."back_at" ASC
                  ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                ),
                0
              ) AS "before"
            FROM (
              SELECT
                "t9"."person_key",
                "t9"."order_id",
                "t9"."back_at",
                "t9"."amount",
                "t9"."everything",
                CASE
                  WHEN MAX("t9"."everything") OVER (
                    PARTITION BY "t9"."person_key", "t9"."order_id"
                    ORDER BY "t9"."back_at" ASC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                  ) = 1
                  THEN 10000000000000000
                  ELSE SUM("t9"."amount") OVER (
                    PARTITION BY "t9"."person_key", "t9"."order_id"
                    ORDER BY "t9"."back_at" ASC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                  )
                END AS "after"
              FROM (
                SELECT
                  "t1"."person_key",
                  "t1"."order_id",
                  "t1"."occurred_at" AS "back_at",
                  SUM(COALESCE("t1"."revenue", 0)) AS "amount",
                  MAX(CAST("t1"."revenue" IS NULL AS BIGINT)) AS "everything"
                FROM (
                  SELECT
                    *
                  FROM "log" AS "t0"
                  WHERE
                    "t0"."occurred_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
                    AND "t0"."event" = 'order_refunded'
                    AND "t0"."order_id" IS NOT NULL
                ) AS "t1"
                GROUP BY
                  1,
                  2,
                  3
              ) AS "t9"
            ) AS "t10"
          ) AS "t12"
            ON "t7"."person_key" = "t12"."person_key" AND "t7"."order_id" = "t12"."order_id"
        ) AS "t13"
        WHERE
          "t13"."after" >= "t13"."paid"
      ) AS "t16"
      GROUP BY
        1,
        2,
        3
    ) AS "t18"
      ON "t6"."person_key" = "t18"."person_key"
      AND "t6"."order_id" = "t18"."order_id"
      AND "t6"."paid" = "t18"."paid"
  ) AS "t21"
)
SELECT
  "t41"."person_key",
  "t41"."rank",
  "t41"."came_from_rank",
  MAX("t41"."rank") OVER (
    PARTITION BY "t41"."person_key"
    ORDER BY "t41"."at" ASC
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS "furthest_rank",
  "t41"."at" AS "valid_from",
  LEAD("t41"."at") OVER (
    PARTITION BY "t41"."person_key"
    ORDER BY "t41"."at" ASC
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  ) AS "valid_to"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t39"."person_key",
      "t39"."at",
      "t39"."rank",
      LAG("t39"."rank") OVER (
        PARTITION BY "t39"."person_key"
        ORDER BY "t39"."at" ASC
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS "came_from_rank"
    FROM (
      SELECT
        "t38"."person_key",
        "t38"."at",
        CAST(CASE
          WHEN (
            "t38"."referrals_365d" > 0
          ) AND (
            "t38"."orders_180d" >= 1
          )
          THEN 51
          WHEN "t38"."latched_vip"
          THEN 43
          WHEN (
            "t38"."orders" >= 2
          ) AND (
            "t38"."orders_180d" >= 1
          )
          THEN 42
          WHEN (
            "t38"."orders" >= 1
          ) AND (
            "t38"."orders_180d" = 0
          )
          THEN 41
          WHEN (
            "t38"."orders" = 1
          ) AND (
            "t38"."orders_180d" >= 1
          )
          THEN 31
          WHEN "t38"."leads" > 0
          THEN 22
          WHEN "t38"."touches_90d" > 0
          THEN 21
          WHEN "t38"."seen" > 0
          THEN 11
          ELSE 0
        END AS BIGINT) AS "rank"
      FROM (
        SELECT
          "t37"."person_key",
          "t37"."at",
          "t37"."seen",
          "t37"."touches_90d",
          "t37"."leads",
          "t37"."orders",
          "t37"."orders_180d",
          "t37"."spend_365d",
          "t37"."referrals_365d",
          "t37"."instant_number",
          COALESCE(
            (
              MAX(
                (
                  "t37"."instant_number" * 2
                ) + CASE
                  WHEN (
                    "t37"."spend_365d" < 30000
                  ) OR (
                    "t37"."orders_180d" = 0
                  )
                  THEN 0
                  WHEN (
                    "t37"."spend_365d" >= 50000
                  ) AND (
                    "t37"."orders" >= 2
                  )
                  THEN 1
                  ELSE CAST(NULL AS BIGINT)
                END
              ) OVER (
                PARTITION BY "t37"."person_key"
                ORDER BY "t37"."at" ASC
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
              ) % 2
            ) = 1,
            FALSE
          ) AS "latched_vip"
        FROM (
          SELECT
            "t36"."person_key",
            "t36"."at",
            "t36"."seen",
            "t36"."touches_90d",
            "t36"."leads",
            "t36"."orders",
            "t36"."orders_180d",
            "t36"."spend_365d",
            "t36"."referrals_365d",
            ROW_NUMBER() OVER (
              PARTITION BY "t36"."person_key"
              ORDER BY "t36"."at" ASC
              ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) - 1 AS "instant_number"
          FROM (
            SELECT
              "t35"."person_key",
              "t35"."at",
              SUM("t35"."seen") OVER (
                PARTITION BY "t35"."person_key"
                ORDER BY "t35"."at" ASC
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
              ) AS "seen",
              SUM("t35"."touches_90d") OVER (
                PARTITION BY "t35"."person_key"
                ORDER BY "t35"."at" ASC
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
              ) AS "touches_90d",
              SUM("t35"."leads") OVER (
                PARTITION BY "t35"."person_key"
                ORDER BY "t35"."at" ASC
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
              ) AS "leads",
              SUM("t35"."orders") OVER (
                PARTITION BY "t35"."person_key"
                ORDER BY "t35"."at" ASC
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
              ) AS "orders",
              SUM("t35"."orders_180d") OVER (
                PARTITION BY "t35"."person_key"
                ORDER BY "t35"."at" ASC
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
              ) AS "orders_180d",
              SUM("t35"."spend_365d") OVER (
                PARTITION BY "t35"."person_key"
                ORDER BY "t35"."at" ASC
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
              ) AS "spend_365d",
              SUM("t35"."referrals_365d") OVER (
                PARTITION BY "t35"."person_key"
                ORDER BY "t35"."at" ASC
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
              ) AS "referrals_365d"
            FROM (
              SELECT
                "t34"."person_key",
                "t34"."at",
                SUM("t34"."seen") AS "seen",
                SUM("t34"."touches_90d") AS "touches_90d",
                SUM("t34"."leads") AS "leads",
                SUM("t34"."orders") AS "orders",
                SUM("t34"."orders_180d") AS "orders_180d",
                SUM("t34"."spend_365d") AS "spend_365d",
                SUM("t34"."referrals_365d") AS "referrals_365d"
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
                            *
                          FROM (
                            SELECT
                              "t23"."person_key",
                              "t23"."occurred_at" AS "at",
                              CASE WHEN "t23"."event" IS NOT NULL THEN 1 ELSE 0 END AS "seen",
                              CASE
                                WHEN "t23"."event" IN ('product_viewed', 'product_added', 'checkout_started', 'care_guide_viewed')
                                THEN 1
                                ELSE 0
                              END AS "touches_90d",
                              CASE WHEN "t23"."event" IN ('signed_up', 'lead_generated') THEN 1 ELSE 0 END AS "leads",
                              CASE
                                WHEN "t23"."event" IN ('order_completed')
                                AND (
                                  (
                                    "t23"."reversed_at_order_refunded" IS NULL
                                  )
                                  OR (
                                    "t23"."reversed_at_order_refunded" > "t23"."occurred_at"
                                  )
                                )
                                THEN 1
                                ELSE 0
                              END AS "orders",
                              CASE
                                WHEN "t23"."event" IN ('order_completed')
                                AND (
                                  (
                                    "t23"."reversed_at_order_refunded" IS NULL
                                  )
                                  OR (
                                    "t23"."reversed_at_order_refunded" > "t23"."occurred_at"
                                  )
                                )
                                THEN 1
                                ELSE 0
                              END AS "orders_180d",
                              CASE
                                WHEN "t23"."event" IN ('order_completed')
                                THEN COALESCE("t23"."revenue", 0)
                                ELSE 0
                              END AS "spend_365d",
                              CASE WHEN "t23"."event" IN ('referral_converted') THEN 1 ELSE 0 END AS "referrals_365d"
                            FROM "t22" AS "t23"
                          ) AS "t26"
                          UNION ALL
                          SELECT
                            *
                          FROM (
                            SELECT
                              "t23"."person_key",
                              "t23"."occurred_at" + INTERVAL '90' DAY AS "at",
                              0 AS "seen",
                              CASE
                                WHEN "t23"."event" IN ('product_viewed', 'product_added', 'checkout_started', 'care_guide_viewed')
                                THEN -(
                                  1
                                )
                                ELSE 0
                              END AS "touches_90d",
                              0 AS "leads",
                              0 AS "orders",
                              0 AS "orders_180d",
                              0 AS "spend_365d",
                              0 AS "referrals_365d"
                            FROM "t22" AS "t23"
                            WHERE
                              "t23"."event" IN ('product_viewed', 'product_added', 'checkout_started', 'care_guide_viewed')
                              AND "t23"."occurred_at" <= MAKE_TIMESTAMP(2025, 4, 1, 23, 59, 59.999999)
                          ) AS "t24"
                        ) AS "t28"
                        UNION ALL
                        SELECT
                          *
                        FROM (
                          SELECT
                            "t23"."person_key",
                            "t23"."occurred_at" + INTERVAL '180' DAY AS "at",
                            0 AS "seen",
                            0 AS "touches_90d",
                            0 AS "leads",
                            0 AS "orders",
                            CASE
                              WHEN "t23"."event" IN ('order_completed')
                              AND (
                                (
                                  "t23"."reversed_at_order_refunded" IS NULL
                                )
                                OR (
                                  "t23"."reversed_at_order_refunded" >= (
                                    "t23"."occurred_at" + INTERVAL '180' DAY
                                  )
                                )
                              )
                              THEN -(
                                1
                              )
                              ELSE 0
                            END AS "orders_180d",
                            0 AS "spend_365d",
                            0 AS "referrals_365d"
                          FROM "t22" AS "t23"
                          WHERE
                            "t23"."event" IN ('order_completed')
                            AND "t23"."occurred_at" <= MAKE_TIMESTAMP(2025, 1, 1, 23, 59, 59.999999)
                        ) AS "t29"
                      ) AS "t30"
                      UNION ALL
                      SELECT
                        *
                      FROM (
                        SELECT
                          "t23"."person_key",
                          "t23"."occurred_at" + INTERVAL '365' DAY AS "at",
                          0 AS "seen",
                          0 AS "touches_90d",
                          0 AS "leads",
                          0 AS "orders",
                          0 AS "orders_180d",
                          CASE
                            WHEN "t23"."event" IN ('order_completed')
                            THEN -(
                              COALESCE("t23"."revenue", 0)
                            )
                            ELSE 0
                          END AS "spend_365d",
                          CASE WHEN "t23"."event" IN ('referral_converted') THEN -(
                            1
                          ) ELSE 0 END AS "referrals_365d"
                        FROM "t22" AS "t23"
                        WHERE
                          (
                            "t23"."event" IN ('order_completed') OR "t23"."event" IN ('referral_converted')
                          )
                          AND "t23"."occurred_at" <= MAKE_TIMESTAMP(2024, 6, 30, 23, 59, 59.999999)
                      ) AS "t25"
                    ) AS "t31"
                    UNION ALL
                    SELECT
                      *
                    FROM (
                      SELECT
                        "t23"."person_key",
                        "t23"."reversed_at_order_refunded" AS "at",
                        0 AS "seen",
                        0 AS "touches_90d",
                        0 AS "leads",
                        CASE WHEN "t23"."event" IN ('order_completed') THEN -(
                          1
                        ) ELSE 0 END AS "orders",
                        CASE
                          WHEN "t23"."event" IN ('order_completed')
                          AND (
                            "t23"."reversed_at_order_refunded" < (
                              "t23"."occurred_at" + INTERVAL '180' DAY
                            )
                          )
                          THEN -(
                            1
                          )
                          ELSE 0
                        END AS "orders_180d",
                        0 AS "spend_365d",
                        0 AS "referrals_365d"
                      FROM "t22" AS "t23"
                      WHERE
                        "t23"."reversed_at_order_refunded" > "t23"."occurred_at"
                    ) AS "t27"
                  ) AS "t32"
                  UNION ALL
                  SELECT
                    *
                  FROM (
                    SELECT
                      "t15"."person_key",
                      "t15"."back_at" AS "at",
                      0 AS "seen",
                      0 AS "touches_90d",
                      0 AS "leads",
                      0 AS "orders",
                      0 AS "orders_180d",
                      CASE
                        WHEN "t15"."event" IN ('order_completed')
                        AND (
                          "t15"."back_at" < (
                            "t15"."occurred_at" + INTERVAL '365' DAY
                          )
                        )
                        THEN -(
                          "t15"."amount"
                        )
                        ELSE 0
                      END AS "spend_365d",
                      0 AS "referrals_365d"
                    FROM "t14" AS "t15"
                    WHERE
                      "t15"."amount" > 0
                  ) AS "t20"
                ) AS "t33"
                UNION ALL
                SELECT
                  *
                FROM (
                  SELECT
                    "t15"."person_key",
                    "t15"."occurred_at" + INTERVAL '365' DAY AS "at",
                    0 AS "seen",
                    0 AS "touches_90d",
                    0 AS "leads",
                    0 AS "orders",
                    0 AS "orders_180d",
                    CASE
                      WHEN "t15"."event" IN ('order_completed')
                      AND (
                        "t15"."back_at" < (
                          "t15"."occurred_at" + INTERVAL '365' DAY
                        )
                      )
                      THEN "t15"."amount"
                      ELSE 0
                    END AS "spend_365d",
                    0 AS "referrals_365d"
                  FROM "t14" AS "t15"
                  WHERE
                    "t15"."amount" > 0
                    AND "t15"."occurred_at" <= MAKE_TIMESTAMP(2024, 6, 30, 23, 59, 59.999999)
                ) AS "t19"
              ) AS "t34"
              GROUP BY
                1,
                2
            ) AS "t35"
          ) AS "t36"
        ) AS "t37"
      ) AS "t38"
    ) AS "t39"
  ) AS "t40"
  WHERE
    (
      "t40"."came_from_rank" IS NULL
    )
    OR (
      "t40"."came_from_rank" <> "t40"."rank"
    )
) AS "t41"
