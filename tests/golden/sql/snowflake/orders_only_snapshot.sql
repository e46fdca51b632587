SELECT
  "t23"."person_key",
  CAST(CASE
    WHEN (
      "t23"."orders_365d" >= 4
    )
    AND (
      "t23"."orders_180d" >= 1
    )
    AND (
      "t23"."spend_365d" >= 50000
    )
    THEN 26
    WHEN (
      "t23"."orders_365d" >= 4
    ) AND (
      "t23"."orders_180d" >= 1
    )
    THEN 25
    WHEN (
      "t23"."orders_90d" >= 1
    )
    AND (
      "t23"."orders_365d" = "t23"."orders_90d"
    )
    AND (
      "t23"."orders" > "t23"."orders_365d"
    )
    THEN 24
    WHEN (
      "t23"."orders" >= 2
    ) AND (
      "t23"."orders_180d" >= 1
    )
    THEN 23
    WHEN (
      "t23"."orders_365d" >= 1
    ) AND (
      "t23"."orders_180d" = 0
    )
    THEN 22
    WHEN (
      "t23"."orders" >= 1
    ) AND (
      "t23"."orders_365d" = 0
    )
    THEN 21
    WHEN (
      "t23"."orders" = 1
    ) AND (
      "t23"."orders_180d" = 1
    )
    THEN 12
    WHEN "t23"."placed" > 0
    THEN 11
    ELSE 0
  END AS BIGINT) AS "rank"
FROM (
  SELECT
    "t22"."person_key",
    SUM(
      IFF("t22"."event" IN ('order_completed') AND (
        "t22"."piece_of" IS NULL
      ), 1, 0)
    ) AS "placed",
    SUM(
      IFF(
        "t22"."event" IN ('order_completed')
        AND (
          "t22"."piece_of" IS NULL
        )
        AND (
          "t22"."reversed_at_order_refunded" IS NULL
        ),
        1,
        0
      )
    ) AS "orders",
    SUM(
      IFF(
        "t22"."event" IN ('order_completed')
        AND (
          "t22"."piece_of" IS NULL
        )
        AND (
          "t22"."occurred_at" > TIMESTAMP_FROM_PARTS(2025, 4, 1, 23, 59, 59, 999999000)
        )
        AND (
          "t22"."reversed_at_order_refunded" IS NULL
        ),
        1,
        0
      )
    ) AS "orders_90d",
    SUM(
      IFF(
        "t22"."event" IN ('order_completed')
        AND (
          "t22"."piece_of" IS NULL
        )
        AND (
          "t22"."occurred_at" > TIMESTAMP_FROM_PARTS(2025, 1, 1, 23, 59, 59, 999999000)
        )
        AND (
          "t22"."reversed_at_order_refunded" IS NULL
        ),
        1,
        0
      )
    ) AS "orders_180d",
    SUM(
      IFF(
        "t22"."event" IN ('order_completed')
        AND (
          "t22"."piece_of" IS NULL
        )
        AND (
          "t22"."occurred_at" > TIMESTAMP_FROM_PARTS(2024, 6, 30, 23, 59, 59, 999999000)
        )
        AND (
          "t22"."reversed_at_order_refunded" IS NULL
        ),
        1,
        0
      )
    ) AS "orders_365d",
    SUM(
      IFF(
        "t22"."event" IN ('order_completed')
        AND (
          (
            "t22"."piece_of" IS NULL
          ) OR (
            "t22"."piece_of" = 'order_refunded'
          )
        )
        AND (
          "t22"."occurred_at" > TIMESTAMP_FROM_PARTS(2024, 6, 30, 23, 59, 59, 999999000)
        ),
        COALESCE("t22"."revenue", 0),
        0
      )
    ) AS "spend_365d"
  FROM (
    SELECT
      *
    FROM (
      SELECT
        "t20"."person_key",
        "t20"."event",
        "t20"."occurred_at",
        "t20"."known_at",
        "t20"."business_day",
        "t20"."order_id",
        "t20"."revenue",
        "t20"."session_id",
        "t20"."channel",
        "t20"."refunded_at",
        "t20"."device_key",
        "t20"."linked_at",
        "t20"."reversed_at_order_refunded",
        CAST(NULL AS VARCHAR) AS "piece_of"
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
            CAST(NULL AS TIMESTAMP) AS "reversed_at_order_refunded"
          FROM "log" AS "t0"
          WHERE
            "t0"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
            AND "t0"."event" IN ('order_completed')
            AND NOT (
              (
                "t0"."refunded_at" IS NOT NULL
              )
              AND (
                "t0"."refunded_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
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
              COALESCE("t0"."revenue", 0) AS "paid"
            FROM "log" AS "t0"
            WHERE
              "t0"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
              AND "t0"."event" IN ('order_completed')
              AND "t0"."refunded_at" IS NOT NULL
              AND "t0"."refunded_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
          ) AS "t6"
          LEFT OUTER JOIN (
            SELECT
              "t15"."person_key",
              "t15"."order_id",
              "t15"."paid",
              MIN("t15"."back_at") AS "reversed_at_order_refunded"
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
                    "t0"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
                    AND "t0"."event" IN ('order_completed')
                    AND "t0"."refunded_at" IS NOT NULL
                    AND "t0"."refunded_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
                ) AS "t7"
                INNER JOIN (
                  SELECT
                    "t10"."person_key",
                    "t10"."order_id",
                    "t10"."back_at",
                    "t10"."after",
                    COALESCE(
                      LAG("t10"."after") OVER (PARTITION BY "t10"."person_key", "t10"."order_id" ORDER BY "t10"."back_at" ASC),
                      0
                    ) AS "before"
                  FROM (
                    SELECT
                      "t9"."person_key",
                      "t9"."order_id",
                      "t9"."back_at",
                      "t9"."amount",
                      "t9"."everything",
                      IFF(
                        MAX("t9"."everything") OVER (
                          PARTITION BY "t9"."person_key", "t9"."order_id"
                          ORDER BY "t9"."back_at" ASC
                          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                        ) = 1,
                        10000000000000000,
                        SUM("t9"."amount") OVER (
                          PARTITION BY "t9"."person_key", "t9"."order_id"
                          ORDER BY "t9"."back_at" ASC
                          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                        )
                      ) AS "after"
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
                          "t0"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
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
            ) AS "t15"
            GROUP BY
              1,
              2,
              3
          ) AS "t18"
            ON "t6"."person_key" = "t18"."person_key"
            AND "t6"."order_id" = "t18"."order_id"
            AND "t6"."paid" = "t18"."paid"
        ) AS "t19"
      ) AS "t20"
    ) AS "t21"
    UNION ALL
    SELECT
      *
    FROM (
      SELECT
        "t14"."person_key",
        "t14"."event",
        "t14"."occurred_at",
        CAST(NULL AS TIMESTAMP) AS "known_at",
        CAST(NULL AS DATE) AS "business_day",
        CAST(NULL AS VARCHAR) AS "order_id",
        -(
          "t14"."amount"
        ) AS "revenue",
        CAST(NULL AS VARCHAR) AS "session_id",
        CAST(NULL AS VARCHAR) AS "channel",
        CAST(NULL AS TIMESTAMP) AS "refunded_at",
        CAST(NULL AS BIGINT) AS "device_key",
        CAST(NULL AS TIMESTAMP) AS "linked_at",
        CAST(NULL AS TIMESTAMP) AS "reversed_at_order_refunded",
        'order_refunded' AS "piece_of"
      FROM (
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
            "t0"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
            AND "t0"."event" IN ('order_completed')
            AND "t0"."refunded_at" IS NOT NULL
            AND "t0"."refunded_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
        ) AS "t5"
        INNER JOIN (
          SELECT
            "t10"."person_key",
            "t10"."order_id",
            "t10"."back_at",
            "t10"."after",
            COALESCE(
              LAG("t10"."after") OVER (PARTITION BY "t10"."person_key", "t10"."order_id" ORDER BY "t10"."back_at" ASC),
              0
            ) AS "before"
          FROM (
            SELECT
              "t9"."person_key",
              "t9"."order_id",
              "t9"."back_at",
              "t9"."amount",
              "t9"."everything",
              IFF(
                MAX("t9"."everything") OVER (
                  PARTITION BY "t9"."person_key", "t9"."order_id"
                  ORDER BY "t9"."back_at" ASC
                  ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                ) = 1,
                10000000000000000,
                SUM("t9"."amount") OVER (
                  PARTITION BY "t9"."person_key", "t9"."order_id"
                  ORDER BY "t9"."back_at" ASC
                  ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                )
              ) AS "after"
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
                  "t0"."occurred_at" <= TIMESTAMP_FROM_PARTS(2025, 6, 30, 23, 59, 59, 999999000)
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
      ) AS "t14"
      WHERE
        "t14"."amount" > 0
    ) AS "t16"
  ) AS "t22"
  GROUP BY
    1
) AS "t23"
