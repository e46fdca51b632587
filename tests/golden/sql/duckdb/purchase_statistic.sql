SELECT
  *
FROM (
  SELECT
    "t19"."frequency",
    "t19"."recency",
    "t19"."age",
    COUNT(*) AS "n"
  FROM (
    SELECT
      "t18"."n" - 1 AS "frequency",
      "t18"."last" - "t18"."first" AS "recency",
      20269 - "t18"."first" AS "age"
    FROM (
      SELECT
        "t17"."person_key",
        COUNT(*) AS "n",
        MIN("t17"."moment") AS "first",
        MAX("t17"."moment") AS "last"
      FROM (
        SELECT
          "t16"."person_key",
          "t16"."moment"
        FROM (
          SELECT
            "t15"."person_key",
            "t15"."cost",
            "t15"."order_id",
            "t15"."at",
            "t15"."day",
            "t15"."revenue",
            DATE_DIFF('DAY', MAKE_DATE(1970, 1, 1), "t15"."day") AS "moment"
          FROM (
            SELECT
              "t14"."person_key",
              "t14"."cost",
              CAST(NULL AS TEXT) AS "order_id",
              "t14"."occurred_at" AS "at",
              "t14"."business_day" AS "day",
              CASE
                WHEN "t14"."revenue" IS NULL
                THEN CAST(NULL AS BIGINT)
                ELSE "t14"."standing_after_order_refunded"
              END AS "revenue"
            FROM (
              SELECT
                *
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
                    "t0"."occurred_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
                    AND "t0"."event" = 'order_completed'
                    AND NOT (
                      (
                        "t0"."refunded_at" IS NOT NULL
                      )
                      AND (
                        "t0"."refunded_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
                      )
                    )
                ) AS "t6"
                UNION ALL
                SELECT
                  *
                FROM (
                  SELECT
                    "t10"."person_key",
                    "t10"."event",
                    "t10"."occurred_at",
                    "t10"."known_at",
                    "t10"."business_day",
                    "t10"."order_id",
                    "t10"."revenue",
                    "t10"."session_id",
                    "t10"."channel",
                    "t10"."refunded_at",
                    "t10"."device_key",
                    "t10"."linked_at",
                    "t10"."cost",
                    CASE
                      WHEN "t10"."given" IS NULL
                      THEN "t10"."paid"
                      WHEN "t10"."given" < "t10"."paid"
                      THEN "t10"."paid" - "t10"."given"
                      ELSE NULL
                    END AS "standing_after_order_refunded"
                  FROM (
                    SELECT
                      "t5"."person_key",
                      "t5"."event",
                      "t5"."occurred_at",
                      "t5"."known_at",
                      "t5"."business_day",
                      "t5"."order_id",
                      "t5"."revenue",
                      "t5"."session_id",
                      "t5"."channel",
                      "t5"."refunded_at",
                      "t5"."device_key",
                      "t5"."linked_at",
                      "t5"."cost",
                      "t5"."paid",
                      "t9"."person_key" AS "person_key_right",
                      "t9"."order_id" AS "order_id_right",
                      "t9"."given"
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
                        AND "t0"."event" = 'order_completed'
                        AND "t0"."refunded_at" IS NOT NULL
                        AND "t0"."refunded_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
                    ) AS "t5"
                    LEFT OUTER JOIN (
                      SELECT
                        "t7"."person_key",
                        "t7"."order_id",
                        CASE WHEN "t7"."everything" = 1 THEN 10000000000000000 ELSE "t7"."amount" END AS "given"
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
                            "t0"."occurred_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
                            AND "t0"."event" = 'order_refunded'
                            AND "t0"."order_id" IS NOT NULL
                        ) AS "t2"
                        GROUP BY
                          1,
                          2
                      ) AS "t7"
                    ) AS "t9"
                      ON "t5"."person_key" = "t9"."person_key" AND "t5"."order_id" = "t9"."order_id"
                  ) AS "t10"
                ) AS "t11"
              ) AS "t12"
              WHERE
                "t12"."standing_after_order_refunded" IS NOT NULL
            ) AS "t14"
            ANTI JOIN (
              SELECT
                "t0"."person_key",
                "t0"."order_id"
              FROM "log" AS "t0"
              WHERE
                "t0"."occurred_at" <= MAKE_TIMESTAMP(2025, 6, 30, 23, 59, 59.999999)
                AND "t0"."event" = 'order_cancelled'
                AND "t0"."order_id" IS NOT NULL
            ) AS "t4"
              ON "t14"."person_key" = "t4"."person_key" AND "t14"."order_id" = "t4"."order_id"
          ) AS "t15"
        ) AS "t16"
        GROUP BY
          1,
          2
      ) AS "t17"
      GROUP BY
        1
    ) AS "t18"
  ) AS "t19"
  GROUP BY
    1,
    2,
    3
) AS "t20"
