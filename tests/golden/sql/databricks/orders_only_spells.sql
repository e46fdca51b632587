WITH `t14` AS (
  SELECT
    `t5`.`person_key`,
    `t5`.`event`,
    `t5`.`occurred_at`,
    GREATEST(`t12`.`back_at`, `t5`.`occurred_at`) AS `back_at`,
    LEAST(COALESCE(`t5`.`revenue`, 0), `t12`.`after`) - LEAST(COALESCE(`t5`.`revenue`, 0), `t12`.`before`) AS `amount`
  FROM (
    SELECT
      *
    FROM `log` AS `t0`
    WHERE
      `t0`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
      AND `t0`.`event` IN ('order_completed')
      AND `t0`.`refunded_at` IS NOT NULL
      AND `t0`.`refunded_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
  ) AS `t5`
  INNER JOIN (
    SELECT
      `t10`.`person_key`,
      `t10`.`order_id`,
      `t10`.`back_at`,
      `t10`.`after`,
      COALESCE(
        LAG(`t10`.`after`) OVER (
          PARTITION BY `t10`.`person_key`, `t10`.`order_id`
          ORDER BY `t10`.`back_at` ASC NULLS LAST
        ),
        0
      ) AS `before`
    FROM (
      SELECT
        `t9`.`person_key`,
        `t9`.`order_id`,
        `t9`.`back_at`,
        `t9`.`amount`,
        `t9`.`everything`,
        IF(
          MAX(`t9`.`everything`) OVER (
            PARTITION BY `t9`.`person_key`, `t9`.`order_id`
            ORDER BY `t9`.`back_at` ASC NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) = 1,
          10000000000000000,
          SUM(`t9`.`amount`) OVER (
            PARTITION BY `t9`.`person_key`, `t9`.`order_id`
            ORDER BY `t9`.`back_at` ASC NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          )
        ) AS `after`
      FROM (
        SELECT
          `t1`.`person_key`,
          `t1`.`order_id`,
          `t1`.`occurred_at` AS `back_at`,
          SUM(COALESCE(`t1`.`revenue`, 0)) AS `amount`,
          MAX(CAST(`t1`.`revenue` IS NULL AS BIGINT)) AS `everything`
        FROM (
          SELECT
            *
          FROM `log` AS `t0`
          WHERE
            `t0`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
            AND `t0`.`event` = 'order_refunded'
            AND `t0`.`order_id` IS NOT NULL
        ) AS `t1`
        GROUP BY
          1,
          2,
          3
      ) AS `t9`
    ) AS `t10`
  ) AS `t12`
    ON `t5`.`person_key` = `t12`.`person_key` AND `t5`.`order_id` = `t12`.`order_id`
), `t22` AS (
  SELECT
    *
  FROM (
    SELECT
      `t0`.`person_key`,
      `t0`.`event`,
      `t0`.`occurred_at`,
      `t0`.`known_at`,
      `t0`.`business_day`,
      `t0`.`order_id`,
      `t0`.`revenue`,
      `t0`.`session_id`,
      `t0`.`channel`,
      `t0`.`refunded_at`,
      `t0`.`device_key`,
      `t0`.`linked_at`,
      `t0`.`cost`,
      CAST(NULL AS TIMESTAMP) AS `reversed_at_order_refunded`
    FROM `log` AS `t0`
    WHERE
      `t0`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
      AND `t0`.`event` IN ('order_completed')
      AND NOT (
        (
          `t0`.`refunded_at` IS NOT NULL
        )
        AND (
          `t0`.`refunded_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
        )
      )
  ) AS `t8`
  UNION ALL
  SELECT
    *
  FROM (
    SELECT
      `t6`.`person_key`,
      `t6`.`event`,
      `t6`.`occurred_at`,
      `t6`.`known_at`,
      `t6`.`business_day`,
      `t6`.`order_id`,
      `t6`.`revenue`,
      `t6`.`session_id`,
      `t6`.`channel`,
      `t6`.`refunded_at`,
      `t6`.`device_key`,
      `t6`.`linked_at`,
      `t6`.`cost`,
      `t18`.`reversed_at_order_refunded`
    FROM (
      SELECT
        `t0`.`person_key`,
        `t0`.`event`,
        `t0`.`occurred_at`,
        `t0`.`known_at`,
        `t0`.`business_day`,
        `t0`.`order_id`,
        `t0`.`revenue`,
        `t0`.`session_id`,
        `t0`.`channel`,
        `t0`.`refunded_at`,
        `t0`.`device_key`,
        `t0`.`linked_at`,
        `t0`.`cost`,
        COALESCE(`t0`.`revenue`, 0) AS `paid`
      FROM `log` AS `t0`
      WHERE
        `t0`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
        AND `t0`.`event` IN ('order_completed')
        AND `t0`.`refunded_at` IS NOT NULL
        AND `t0`.`refunded_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
    ) AS `t6`
    LEFT OUTER JOIN (
      SELECT
        `t16`.`person_key`,
        `t16`.`order_id`,
        `t16`.`paid`,
        MIN(`t16`.`back_at`) AS `reversed_at_order_refunded`
      FROM (
        SELECT
          *
        FROM (
          SELECT
            `t7`.`person_key`,
            `t7`.`order_id`,
            `t7`.`paid`,
            `t12`.`back_at`,
            `t12`.`after`,
            `t12`.`before`
          FROM (
            SELECT DISTINCT
              `t0`.`person_key`,
              `t0`.`order_id`,
              COALESCE(`t0`.`revenue`, 0) AS `paid`
            FROM `log` AS `t0`
            WHERE
              `t0`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
              AND `t0`.`event` IN ('order_completed')
              AND `t0`.`refunded_at` IS NOT NULL
              AND `t0`.`refunded_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
          ) AS `t7`
          INNER JOIN (
            SELECT
              `t10`.`person_key`,
              `t10`.`order_id`,
              `t10`.`back_at`,
              `t10`.`after`,
              COALESCE(
                LAG(`t10`.`after`) OVER (
                  PARTITION BY `t10`.`person_key`, `t10`.`order_id`
                  ORDER BY `t10`.`back_at` ASC NULLS LAST
                ),
                0
              ) AS `before`
            FROM (
              SELECT
                `t9`.`person_key`,
                `t9`.`order_id`,
                `t9`.`back_at`,
                `t9`.`amount`,
                `t9`.`everything`,
                IF(
                  MAX(`t9`.`everything`) OVER (
                    PARTITION BY `t9`.`person_key`, `t9`.`order_id`
                    ORDER BY `t9`.`back_at` ASC NULLS LAST
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                  ) = 1,
                  10000000000000000,
                  SUM(`t9`.`amount`) OVER (
                    PARTITION BY `t9`.`person_key`, `t9`.`order_id`
                    ORDER BY `t9`.`back_at` ASC NULLS LAST
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                  )
                ) AS `after`
              FROM (
                SELECT
                  `t1`.`person_key`,
                  `t1`.`order_id`,
                  `t1`.`occurred_at` AS `back_at`,
                  SUM(COALESCE(`t1`.`revenue`, 0)) AS `amount`,
                  MAX(CAST(`t1`.`revenue` IS NULL AS BIGINT)) AS `everything`
                FROM (
                  SELECT
                    *
                  FROM `log` AS `t0`
                  WHERE
                    `t0`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
                    AND `t0`.`event` = 'order_refunded'
                    AND `t0`.`order_id` IS NOT NULL
                ) AS `t1`
                GROUP BY
                  1,
                  2,
                  3
              ) AS `t9`
            ) AS `t10`
          ) AS `t12`
            ON `t7`.`person_key` = `t12`.`person_key` AND `t7`.`order_id` = `t12`.`order_id`
        ) AS `t13`
        WHERE
          `t13`.`after` >= `t13`.`paid`
      ) AS `t16`
      GROUP BY
        1,
        2,
        3
    ) AS `t18`
      ON `t6`.`person_key` = `t18`.`person_key`
      AND `t6`.`order_id` = `t18`.`order_id`
      AND `t6`.`paid` = `t18`.`paid`
  ) AS `t21`
)
SELECT
  `t39`.`person_key`,
  `t39`.`rank`,
  `t39`.`came_from_rank`,
  MAX(`t39`.`rank`) OVER (
    PARTITION BY `t39`.`person_key`
    ORDER BY `t39`.`at` ASC NULLS LAST
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS `furthest_rank`,
  `t39`.`at` AS `valid_from`,
  LEAD(`t39`.`at`) OVER (PARTITION BY `t39`.`person_key` ORDER BY `t39`.`at` ASC NULLS LAST) AS `valid_to`
FROM (
  SELECT
    *
  FROM (
    SELECT
      `t37`.`person_key`,
      `t37`.`at`,
      `t37`.`rank`,
      LAG(`t37`.`rank`) OVER (PARTITION BY `t37`.`person_key` ORDER BY `t37`.`at` ASC NULLS LAST) AS `came_from_rank`
    FROM (
      SELECT
        `t36`.`person_key`,
        `t36`.`at`,
        CAST(CASE
          WHEN (
            `t36`.`orders_365d` >= 4
          )
          AND (
            `t36`.`orders_180d` >= 1
          )
          AND (
            `t36`.`spend_365d` >= 50000
          )
          THEN 26
          WHEN (
            `t36`.`orders_365d` >= 4
          ) AND (
            `t36`.`orders_180d` >= 1
          )
          THEN 25
          WHEN (
            `t36`.`orders_90d` >= 1
          )
          AND (
            `t36`.`orders_365d` = `t36`.`orders_90d`
          )
          AND (
            `t36`.`orders` > `t36`.`orders_365d`
          )
          THEN 24
          WHEN (
            `t36`.`orders` >= 2
          ) AND (
            `t36`.`orders_180d` >= 1
          )
          THEN 23
          WHEN (
            `t36`.`orders_365d` >= 1
          ) AND (
            `t36`.`orders_180d` = 0
          )
          THEN 22
          WHEN (
            `t36`.`orders` >= 1
          ) AND (
            `t36`.`orders_365d` = 0
          )
          THEN 21
          WHEN (
            `t36`.`orders` = 1
          ) AND (
            `t36`.`orders_180d` = 1
          )
          THEN 12
          WHEN `t36`.`placed` > 0
          THEN 11
          ELSE 0
        END AS BIGINT) AS `rank`
      FROM (
        SELECT
          `t35`.`person_key`,
          `t35`.`at`,
          SUM(`t35`.`placed`) OVER (
            PARTITION BY `t35`.`person_key`
            ORDER BY `t35`.`at` ASC NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) AS `placed`,
          SUM(`t35`.`orders`) OVER (
            PARTITION BY `t35`.`person_key`
            ORDER BY `t35`.`at` ASC NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) AS `orders`,
          SUM(`t35`.`orders_90d`) OVER (
            PARTITION BY `t35`.`person_key`
            ORDER BY `t35`.`at` ASC NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) AS `orders_90d`,
          SUM(`t35`.`orders_180d`) OVER (
            PARTITION BY `t35`.`person_key`
            ORDER BY `t35`.`at` ASC NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) AS `orders_180d`,
          SUM(`t35`.`orders_365d`) OVER (
            PARTITION BY `t35`.`person_key`
            ORDER BY `t35`.`at` ASC NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) AS `orders_365d`,
          SUM(`t35`.`spend_365d`) OVER (
            PARTITION BY `t35`.`person_key`
            ORDER BY `t35`.`at` ASC NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) AS `spend_365d`
        FROM (
          SELECT
            `t34`.`person_key`,
            `t34`.`at`,
            SUM(`t34`.`placed`) AS `placed`,
            SUM(`t34`.`orders`) AS `orders`,
            SUM(`t34`.`orders_90d`) AS `orders_90d`,
            SUM(`t34`.`orders_180d`) AS `orders_180d`,
            SUM(`t34`.`orders_365d`) AS `orders_365d`,
            SUM(`t34`.`spend_365d`) AS `spend_365d`
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
                          `t23`.`person_key`,
                          `t23`.`occurred_at` AS `at`,
                          IF(`t23`.`event` IN ('order_completed'), 1, 0) AS `placed`,
                          IF(
                            `t23`.`event` IN ('order_completed')
                            AND (
                              (
                                `t23`.`reversed_at_order_refunded` IS NULL
                              )
                              OR (
                                `t23`.`reversed_at_order_refunded` > `t23`.`occurred_at`
                              )
                            ),
                            1,
                            0
                          ) AS `orders`,
                          IF(
                            `t23`.`event` IN ('order_completed')
                            AND (
                              (
                                `t23`.`reversed_at_order_refunded` IS NULL
                              )
                              OR (
                                `t23`.`reversed_at_order_refunded` > `t23`.`occurred_at`
                              )
                            ),
                            1,
                            0
                          ) AS `orders_90d`,
                          IF(
                            `t23`.`event` IN ('order_completed')
                            AND (
                              (
                                `t23`.`reversed_at_order_refunded` IS NULL
                              )
                              OR (
                                `t23`.`reversed_at_order_refunded` > `t23`.`occurred_at`
                              )
                            ),
                            1,
                            0
                          ) AS `orders_180d`,
                          IF(
                            `t23`.`event` IN ('order_completed')
                            AND (
                              (
                                `t23`.`reversed_at_order_refunded` IS NULL
                              )
                              OR (
                                `t23`.`reversed_at_order_refunded` > `t23`.`occurred_at`
                              )
                            ),
                            1,
                            0
                          ) AS `orders_365d`,
                          IF(`t23`.`event` IN ('order_completed'), COALESCE(`t23`.`revenue`, 0), 0) AS `spend_365d`
                        FROM `t22` AS `t23`
                      ) AS `t24`
                      UNION ALL
                      SELECT
                        *
                      FROM (
                        SELECT
                          `t23`.`person_key`,
                          `t23`.`occurred_at` + INTERVAL '90' DAY AS `at`,
                          0 AS `placed`,
                          0 AS `orders`,
                          IF(
                            `t23`.`event` IN ('order_completed')
                            AND (
                              (
                                `t23`.`reversed_at_order_refunded` IS NULL
                              )
                              OR (
                                `t23`.`reversed_at_order_refunded` >= (
                                  `t23`.`occurred_at` + INTERVAL '90' DAY
                                )
                              )
                            ),
                            -(
                              1
                            ),
                            0
                          ) AS `orders_90d`,
                          0 AS `orders_180d`,
                          0 AS `orders_365d`,
                          0 AS `spend_365d`
                        FROM `t22` AS `t23`
                        WHERE
                          `t23`.`event` IN ('order_completed')
                          AND `t23`.`occurred_at` <= CAST('2025-04-01T23:59:59.999999' AS TIMESTAMP)
                      ) AS `t28`
                    ) AS `t29`
                    UNION ALL
                    SELECT
                      *
                    FROM (
                      SELECT
                        `t23`.`person_key`,
                        `t23`.`occurred_at` + INTERVAL '180' DAY AS `at`,
                        0 AS `placed`,
                        0 AS `orders`,
                        0 AS `orders_90d`,
                        IF(
                          `t23`.`event` IN ('order_completed')
                          AND (
                            (
                              `t23`.`reversed_at_order_refunded` IS NULL
                            )
                            OR (
                              `t23`.`reversed_at_order_refunded` >= (
                                `t23`.`occurred_at` + INTERVAL '180' DAY
                              )
                            )
                          ),
                          -(
                            1
                          ),
                          0
                        ) AS `orders_180d`,
                        0 AS `orders_365d`,
                        0 AS `spend_365d`
                      FROM `t22` AS `t23`
                      WHERE
                        `t23`.`event` IN ('order_completed')
                        AND `t23`.`occurred_at` <= CAST('2025-01-01T23:59:59.999999' AS TIMESTAMP)
                    ) AS `t27`
                  ) AS `t30`
                  UNION ALL
                  SELECT
                    *
                  FROM (
                    SELECT
                      `t23`.`person_key`,
                      `t23`.`occurred_at` + INTERVAL '365' DAY AS `at`,
                      0 AS `placed`,
                      0 AS `orders`,
                      0 AS `orders_90d`,
                      0 AS `orders_180d`,
                      IF(
                        `t23`.`event` IN ('order_completed')
                        AND (
                          (
                            `t23`.`reversed_at_order_refunded` IS NULL
                          )
                          OR (
                            `t23`.`reversed_at_order_refunded` >= (
                              `t23`.`occurred_at` + INTERVAL '365' DAY
                            )
                          )
                        ),
                        -(
                          1
                        ),
                        0
                      ) AS `orders_365d`,
                      IF(`t23`.`event` IN ('order_completed'), -(
                        COALESCE(`t23`.`revenue`, 0)
                      ), 0) AS `spend_365d`
                    FROM `t22` AS `t23`
                    WHERE
                      (
                        `t23`.`event` IN ('order_completed') OR `t23`.`event` IN ('order_completed')
                      )
                      AND `t23`.`occurred_at` <= CAST('2024-06-30T23:59:59.999999' AS TIMESTAMP)
                  ) AS `t26`
                ) AS `t31`
                UNION ALL
                SELECT
                  *
                FROM (
                  SELECT
                    `t23`.`person_key`,
                    `t23`.`reversed_at_order_refunded` AS `at`,
                    0 AS `placed`,
                    IF(`t23`.`event` IN ('order_completed'), -(
                      1
                    ), 0) AS `orders`,
                    IF(
                      `t23`.`event` IN ('order_completed')
                      AND (
                        `t23`.`reversed_at_order_refunded` < (
                          `t23`.`occurred_at` + INTERVAL '90' DAY
                        )
                      ),
                      -(
                        1
                      ),
                      0
                    ) AS `orders_90d`,
                    IF(
                      `t23`.`event` IN ('order_completed')
                      AND (
                        `t23`.`reversed_at_order_refunded` < (
                          `t23`.`occurred_at` + INTERVAL '180' DAY
                        )
                      ),
                      -(
                        1
                      ),
                      0
                    ) AS `orders_180d`,
                    IF(
                      `t23`.`event` IN ('order_completed')
                      AND (
                        `t23`.`reversed_at_order_refunded` < (
                          `t23`.`occurred_at` + INTERVAL '365' DAY
                        )
                      ),
                      -(
                        1
                      ),
                      0
                    ) AS `orders_365d`,
                    0 AS `spend_365d`
                  FROM `t22` AS `t23`
                  WHERE
                    `t23`.`reversed_at_order_refunded` > `t23`.`occurred_at`
                ) AS `t25`
              ) AS `t32`
              UNION ALL
              SELECT
                *
              FROM (
                SELECT
                  `t15`.`person_key`,
                  `t15`.`back_at` AS `at`,
                  0 AS `placed`,
                  0 AS `orders`,
                  0 AS `orders_90d`,
                  0 AS `orders_180d`,
                  0 AS `orders_365d`,
                  IF(
                    `t15`.`event` IN ('order_completed')
                    AND (
                      `t15`.`back_at` < (
                        `t15`.`occurred_at` + INTERVAL '365' DAY
                      )
                    ),
                    -(
                      `t15`.`amount`
                    ),
                    0
                  ) AS `spend_365d`
                FROM `t14` AS `t15`
                WHERE
                  `t15`.`amount` > 0
              ) AS `t20`
            ) AS `t33`
            UNION ALL
            SELECT
              *
            FROM (
              SELECT
                `t15`.`person_key`,
                `t15`.`occurred_at` + INTERVAL '365' DAY AS `at`,
                0 AS `placed`,
                0 AS `orders`,
                0 AS `orders_90d`,
                0 AS `orders_180d`,
                0 AS `orders_365d`,
                IF(
                  `t15`.`event` IN ('order_completed')
                  AND (
                    `t15`.`back_at` < (
                      `t15`.`occurred_at` + INTERVAL '365' DAY
                    )
                  ),
                  `t15`.`amount`,
                  0
                ) AS `spend_365d`
              FROM `t14` AS `t15`
              WHERE
                `t15`.`amount` > 0
                AND `t15`.`occurred_at` <= CAST('2024-06-30T23:59:59.999999' AS TIMESTAMP)
            ) AS `t19`
          ) AS `t34`
          GROUP BY
            1,
            2
        ) AS `t35`
      ) AS `t36`
    ) AS `t37`
  ) AS `t38`
  WHERE
    (
      `t38`.`came_from_rank` IS NULL
    )
    OR (
      `t38`.`came_from_rank` <> `t38`.`rank`
    )
) AS `t39`
