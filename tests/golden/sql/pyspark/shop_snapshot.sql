WITH `t24` AS (
  SELECT
    `t23`.`person_key`,
    SUM(IF((
      `t23`.`event` IS NOT NULL
    ) AND (
      `t23`.`piece_of` IS NULL
    ), 1, 0)) AS `seen`,
    SUM(
      IF(
        `t23`.`event` IN ('product_viewed', 'product_added', 'checkout_started', 'care_guide_viewed')
        AND (
          `t23`.`piece_of` IS NULL
        )
        AND (
          `t23`.`occurred_at` > CAST('2025-04-01T23:59:59.999999' AS TIMESTAMP)
        ),
        1,
        0
      )
    ) AS `touches_90d`,
    SUM(
      IF(
        `t23`.`event` IN ('signed_up', 'lead_generated')
        AND (
          `t23`.`piece_of` IS NULL
        ),
        1,
        0
      )
    ) AS `leads`,
    SUM(
      IF(
        `t23`.`event` IN ('order_completed')
        AND (
          `t23`.`piece_of` IS NULL
        )
        AND (
          `t23`.`reversed_at_order_refunded` IS NULL
        ),
        1,
        0
      )
    ) AS `orders`,
    SUM(
      IF(
        `t23`.`event` IN ('order_completed')
        AND (
          `t23`.`piece_of` IS NULL
        )
        AND (
          `t23`.`occurred_at` > CAST('2025-01-01T23:59:59.999999' AS TIMESTAMP)
        )
        AND (
          `t23`.`reversed_at_order_refunded` IS NULL
        ),
        1,
        0
      )
    ) AS `orders_180d`,
    SUM(
      IF(
        `t23`.`event` IN ('order_completed')
        AND (
          (
            `t23`.`piece_of` IS NULL
          ) OR (
            `t23`.`piece_of` = 'order_refunded'
          )
        )
        AND (
          `t23`.`occurred_at` > CAST('2024-06-30T23:59:59.999999' AS TIMESTAMP)
        ),
        COALESCE(`t23`.`revenue`, 0),
        0
      )
    ) AS `spend_365d`,
    SUM(
      IF(
        `t23`.`event` IN ('referral_converted')
        AND (
          `t23`.`piece_of` IS NULL
        )
        AND (
          `t23`.`occurred_at` > CAST('2024-06-30T23:59:59.999999' AS TIMESTAMP)
        ),
        1,
        0
      )
    ) AS `referrals_365d`
  FROM (
    SELECT
      *
    FROM (
      SELECT
        `t21`.`person_key`,
        `t21`.`event`,
        `t21`.`occurred_at`,
        `t21`.`known_at`,
        `t21`.`business_day`,
        `t21`.`order_id`,
        `t21`.`revenue`,
        `t21`.`session_id`,
        `t21`.`channel`,
        `t21`.`refunded_at`,
        `t21`.`device_key`,
        `t21`.`linked_at`,
        `t21`.`reversed_at_order_refunded`,
        CAST(NULL AS STRING) AS `piece_of`
      FROM (
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
            CAST(NULL AS TIMESTAMP) AS `reversed_at_order_refunded`
          FROM `log` AS `t0`
          WHERE
            `t0`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
            AND NOT (
              (
                `t0`.`refunded_at` IS NOT NULL
              )
              AND (
                `t0`.`refunded_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
              )
            )
        ) AS `t9`
        UNION ALL
        SELECT
          *
        FROM (
          SELECT
            `t7`.`person_key`,
            `t7`.`event`,
            `t7`.`occurred_at`,
            `t7`.`known_at`,
            `t7`.`business_day`,
            `t7`.`order_id`,
            `t7`.`revenue`,
            `t7`.`session_id`,
            `t7`.`channel`,
            `t7`.`refunded_at`,
            `t7`.`device_key`,
            `t7`.`linked_at`,
            `t19`.`reversed_at_order_refunded`
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
              COALESCE(`t0`.`revenue`, 0) AS `paid`
            FROM `log` AS `t0`
            WHERE
              `t0`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
              AND `t0`.`refunded_at` IS NOT NULL
              AND `t0`.`refunded_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
          ) AS `t7`
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
                  `t8`.`person_key`,
                  `t8`.`order_id`,
                  `t8`.`paid`,
                  `t13`.`back_at`,
                  `t13`.`after`,
                  `t13`.`before`
                FROM (
                  SELECT DISTINCT
                    `t0`.`person_key`,
                    `t0`.`order_id`,
                    COALESCE(`t0`.`revenue`, 0) AS `paid`
                  FROM `log` AS `t0`
                  WHERE
                    `t0`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
                    AND `t0`.`refunded_at` IS NOT NULL
                    AND `t0`.`refunded_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
                ) AS `t8`
                INNER JOIN (
                  SELECT
                    `t11`.`person_key`,
                    `t11`.`order_id`,
                    `t11`.`back_at`,
                    `t11`.`after`,
                    COALESCE(
                      LAG(`t11`.`after`) OVER (
                        PARTITION BY `t11`.`person_key`, `t11`.`order_id`
                        ORDER BY `t11`.`back_at` ASC NULLS LAST
                      ),
                      0
                    ) AS `before`
                  FROM (
                    SELECT
                      `t10`.`person_key`,
                      `t10`.`order_id`,
                      `t10`.`back_at`,
                      `t10`.`amount`,
                      `t10`.`everything`,
                      IF(
                        MAX(`t10`.`everything`) OVER (
                          PARTITION BY `t10`.`person_key`, `t10`.`order_id`
                          ORDER BY `t10`.`back_at` ASC NULLS LAST
                          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                        ) = 1,
                        10000000000000000,
                        SUM(`t10`.`amount`) OVER (
                          PARTITION BY `t10`.`person_key`, `t10`.`order_id`
                          ORDER BY `t10`.`back_at` ASC NULLS LAST
                          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                        )
                      ) AS `after`
                    FROM (
                      SELECT
                        `t2`.`person_key`,
                        `t2`.`order_id`,
                        `t2`.`occurred_at` AS `back_at`,
                        SUM(COALESCE(`t2`.`revenue`, 0)) AS `amount`,
                        MAX(CAST(`t2`.`revenue` IS NULL AS BIGINT)) AS `everything`
                      FROM (
                        SELECT
                          *
                        FROM `log` AS `t0`
                        WHERE
                          `t0`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
                          AND `t0`.`event` = 'order_refunded'
                          AND `t0`.`order_id` IS NOT NULL
                      ) AS `t2`
                      GROUP BY
                        1,
                        2,
                        3
                    ) AS `t10`
                  ) AS `t11`
                ) AS `t13`
                  ON `t8`.`person_key` = `t13`.`person_key` AND `t8`.`order_id` = `t13`.`order_id`
              ) AS `t14`
              WHERE
                `t14`.`after` >= `t14`.`paid`
            ) AS `t16`
            GROUP BY
              1,
              2,
              3
          ) AS `t19`
            ON `t7`.`person_key` = `t19`.`person_key`
            AND `t7`.`order_id` = `t19`.`order_id`
            AND `t7`.`paid` = `t19`.`paid`
        ) AS `t20`
      ) AS `t21`
    ) AS `t22`
    UNION ALL
    SELECT
      *
    FROM (
      SELECT
        `t15`.`person_key`,
        `t15`.`event`,
        `t15`.`occurred_at`,
        CAST(NULL AS TIMESTAMP) AS `known_at`,
        CAST(NULL AS DATE) AS `business_day`,
        CAST(NULL AS STRING) AS `order_id`,
        -(
          `t15`.`amount`
        ) AS `revenue`,
        CAST(NULL AS STRING) AS `session_id`,
        CAST(NULL AS STRING) AS `channel`,
        CAST(NULL AS TIMESTAMP) AS `refunded_at`,
        CAST(NULL AS BIGINT) AS `device_key`,
        CAST(NULL AS TIMESTAMP) AS `linked_at`,
        CAST(NULL AS TIMESTAMP) AS `reversed_at_order_refunded`,
        'order_refunded' AS `piece_of`
      FROM (
        SELECT
          `t6`.`person_key`,
          `t6`.`event`,
          `t6`.`occurred_at`,
          GREATEST(`t13`.`back_at`, `t6`.`occurred_at`) AS `back_at`,
          LEAST(COALESCE(`t6`.`revenue`, 0), `t13`.`after`) - LEAST(COALESCE(`t6`.`revenue`, 0), `t13`.`before`) AS `amount`
        FROM (
          SELECT
            *
          FROM `log` AS `t0`
          WHERE
            `t0`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
            AND `t0`.`refunded_at` IS NOT NULL
            AND `t0`.`refunded_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
        ) AS `t6`
        INNER JOIN (
          SELECT
            `t11`.`person_key`,
            `t11`.`order_id`,
            `t11`.`back_at`,
            `t11`.`after`,
            COALESCE(
              LAG(`t11`.`after`) OVER (
                PARTITION BY `t11`.`person_key`, `t11`.`order_id`
                ORDER BY `t11`.`back_at` ASC NULLS LAST
              ),
              0
            ) AS `before`
          FROM (
            SELECT
              `t10`.`person_key`,
              `t10`.`order_id`,
              `t10`.`back_at`,
              `t10`.`amount`,
              `t10`.`everything`,
              IF(
                MAX(`t10`.`everything`) OVER (
                  PARTITION BY `t10`.`person_key`, `t10`.`order_id`
                  ORDER BY `t10`.`back_at` ASC NULLS LAST
                  ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                ) = 1,
                10000000000000000,
                SUM(`t10`.`amount`) OVER (
                  PARTITION BY `t10`.`person_key`, `t10`.`order_id`
                  ORDER BY `t10`.`back_at` ASC NULLS LAST
                  ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                )
              ) AS `after`
            FROM (
              SELECT
                `t2`.`person_key`,
                `t2`.`order_id`,
                `t2`.`occurred_at` AS `back_at`,
                SUM(COALESCE(`t2`.`revenue`, 0)) AS `amount`,
                MAX(CAST(`t2`.`revenue` IS NULL AS BIGINT)) AS `everything`
              FROM (
                SELECT
                  *
                FROM `log` AS `t0`
                WHERE
                  `t0`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
                  AND `t0`.`event` = 'order_refunded'
                  AND `t0`.`order_id` IS NOT NULL
              ) AS `t2`
              GROUP BY
                1,
                2,
                3
            ) AS `t10`
          ) AS `t11`
        ) AS `t13`
          ON `t6`.`person_key` = `t13`.`person_key` AND `t6`.`order_id` = `t13`.`order_id`
      ) AS `t15`
      WHERE
        `t15`.`amount` > 0
    ) AS `t17`
  ) AS `t23`
  GROUP BY
    1
), `t29` AS (
  SELECT
    `t1`.`person_key`,
    `t1`.`event`,
    `t1`.`occurred_at`,
    `t1`.`known_at`,
    `t1`.`business_day`,
    `t1`.`order_id`,
    `t1`.`revenue`,
    `t1`.`session_id`,
    `t1`.`channel`,
    `t1`.`refunded_at`,
    `t1`.`device_key`,
    `t1`.`linked_at`
  FROM `log` AS `t1`
  LEFT SEMI JOIN (
    SELECT
      `t25`.`person_key`
    FROM `t24` AS `t25`
    WHERE
      NOT (
        (
          `t25`.`spend_365d` < 30000
        ) OR (
          `t25`.`orders_180d` = 0
        )
      )
      AND NOT (
        (
          `t25`.`spend_365d` >= 50000
        ) AND (
          `t25`.`orders` >= 2
        )
      )
  ) AS `t28`
    ON `t1`.`person_key` = `t28`.`person_key`
), `t44` AS (
  SELECT
    `t35`.`person_key`,
    `t35`.`event`,
    `t35`.`occurred_at`,
    GREATEST(`t42`.`back_at`, `t35`.`occurred_at`) AS `back_at`,
    LEAST(COALESCE(`t35`.`revenue`, 0), `t42`.`after`) - LEAST(COALESCE(`t35`.`revenue`, 0), `t42`.`before`) AS `amount`
  FROM (
    SELECT
      *
    FROM `t29` AS `t30`
    WHERE
      `t30`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
      AND `t30`.`refunded_at` IS NOT NULL
      AND `t30`.`refunded_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
  ) AS `t35`
  INNER JOIN (
    SELECT
      `t40`.`person_key`,
      `t40`.`order_id`,
      `t40`.`back_at`,
      `t40`.`after`,
      COALESCE(
        LAG(`t40`.`after`) OVER (
          PARTITION BY `t40`.`person_key`, `t40`.`order_id`
          ORDER BY `t40`.`back_at` ASC NULLS LAST
        ),
        0
      ) AS `before`
    FROM (
      SELECT
        `t39`.`person_key`,
        `t39`.`order_id`,
        `t39`.`back_at`,
        `t39`.`amount`,
        `t39`.`everything`,
        IF(
          MAX(`t39`.`everything`) OVER (
            PARTITION BY `t39`.`person_key`, `t39`.`order_id`
            ORDER BY `t39`.`back_at` ASC NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) = 1,
          10000000000000000,
          SUM(`t39`.`amount`) OVER (
            PARTITION BY `t39`.`person_key`, `t39`.`order_id`
            ORDER BY `t39`.`back_at` ASC NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          )
        ) AS `after`
      FROM (
        SELECT
          `t31`.`person_key`,
          `t31`.`order_id`,
          `t31`.`occurred_at` AS `back_at`,
          SUM(COALESCE(`t31`.`revenue`, 0)) AS `amount`,
          MAX(CAST(`t31`.`revenue` IS NULL AS BIGINT)) AS `everything`
        FROM (
          SELECT
            *
          FROM `t29` AS `t30`
          WHERE
            `t30`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
            AND `t30`.`event` = 'order_refunded'
            AND `t30`.`order_id` IS NOT NULL
        ) AS `t31`
        GROUP BY
          1,
          2,
          3
      ) AS `t39`
    ) AS `t40`
  ) AS `t42`
    ON `t35`.`person_key` = `t42`.`person_key` AND `t35`.`order_id` = `t42`.`order_id`
), `t52` AS (
  SELECT
    *
  FROM (
    SELECT
      `t30`.`person_key`,
      `t30`.`event`,
      `t30`.`occurred_at`,
      `t30`.`known_at`,
      `t30`.`business_day`,
      `t30`.`order_id`,
      `t30`.`revenue`,
      `t30`.`session_id`,
      `t30`.`channel`,
      `t30`.`refunded_at`,
      `t30`.`device_key`,
      `t30`.`linked_at`,
      CAST(NULL AS TIMESTAMP) AS `reversed_at_order_refunded`
    FROM `t29` AS `t30`
    WHERE
      `t30`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
      AND NOT (
        (
          `t30`.`refunded_at` IS NOT NULL
        )
        AND (
          `t30`.`refunded_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
        )
      )
  ) AS `t38`
  UNION ALL
  SELECT
    *
  FROM (
    SELECT
      `t36`.`person_key`,
      `t36`.`event`,
      `t36`.`occurred_at`,
      `t36`.`known_at`,
      `t36`.`business_day`,
      `t36`.`order_id`,
      `t36`.`revenue`,
      `t36`.`session_id`,
      `t36`.`channel`,
      `t36`.`refunded_at`,
      `t36`.`device_key`,
      `t36`.`linked_at`,
      `t48`.`reversed_at_order_refunded`
    FROM (
      SELECT
        `t30`.`person_key`,
        `t30`.`event`,
        `t30`.`occurred_at`,
        `t30`.`known_at`,
        `t30`.`business_day`,
        `t30`.`order_id`,
        `t30`.`revenue`,
        `t30`.`session_id`,
        `t30`.`channel`,
        `t30`.`refunded_at`,
        `t30`.`device_key`,
        `t30`.`linked_at`,
        COALESCE(`t30`.`revenue`, 0) AS `paid`
      FROM `t29` AS `t30`
      WHERE
        `t30`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
        AND `t30`.`refunded_at` IS NOT NULL
        AND `t30`.`refunded_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
    ) AS `t36`
    LEFT OUTER JOIN (
      SELECT
        `t46`.`person_key`,
        `t46`.`order_id`,
        `t46`.`paid`,
        MIN(`t46`.`back_at`) AS `reversed_at_order_refunded`
      FROM (
        SELECT
          *
        FROM (
          SELECT
            `t37`.`person_key`,
            `t37`.`order_id`,
            `t37`.`paid`,
            `t42`.`back_at`,
            `t42`.`after`,
            `t42`.`before`
          FROM (
            SELECT DISTINCT
              `t30`.`person_key`,
              `t30`.`order_id`,
              COALESCE(`t30`.`revenue`, 0) AS `paid`
            FROM `t29` AS `t30`
            WHERE
              `t30`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
              AND `t30`.`refunded_at` IS NOT NULL
              AND `t30`.`refunded_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
          ) AS `t37`
          INNER JOIN (
            SELECT
              `t40`.`person_key`,
              `t40`.`order_id`,
              `t40`.`back_at`,
              `t40`.`after`,
              COALESCE(
                LAG(`t40`.`after`) OVER (
                  PARTITION BY `t40`.`person_key`, `t40`.`order_id`
                  ORDER BY `t40`.`back_at` ASC NULLS LAST
                ),
                0
              ) AS `before`
            FROM (
              SELECT
                `t39`.`person_key`,
                `t39`.`order_id`,
                `t39`.`back_at`,
                `t39`.`amount`,
                `t39`.`everything`,
                IF(
                  MAX(`t39`.`everything`) OVER (
                    PARTITION BY `t39`.`person_key`, `t39`.`order_id`
                    ORDER BY `t39`.`back_at` ASC NULLS LAST
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                  ) = 1,
                  10000000000000000,
                  SUM(`t39`.`amount`) OVER (
                    PARTITION BY `t39`.`person_key`, `t39`.`order_id`
                    ORDER BY `t39`.`back_at` ASC NULLS LAST
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                  )
                ) AS `after`
              FROM (
                SELECT
                  `t31`.`person_key`,
                  `t31`.`order_id`,
                  `t31`.`occurred_at` AS `back_at`,
                  SUM(COALESCE(`t31`.`revenue`, 0)) AS `amount`,
                  MAX(CAST(`t31`.`revenue` IS NULL AS BIGINT)) AS `everything`
                FROM (
                  SELECT
                    *
                  FROM `t29` AS `t30`
                  WHERE
                    `t30`.`occurred_at` <= CAST('2025-06-30T23:59:59.999999' AS TIMESTAMP)
                    AND `t30`.`event` = 'order_refunded'
                    AND `t30`.`order_id` IS NOT NULL
                ) AS `t31`
                GROUP BY
                  1,
                  2,
                  3
              ) AS `t39`
            ) AS `t40`
          ) AS `t42`
            ON `t37`.`person_key` = `t42`.`person_key` AND `t37`.`order_id` = `t42`.`order_id`
        ) AS `t43`
        WHERE
          `t43`.`after` >= `t43`.`paid`
      ) AS `t46`
      GROUP BY
        1,
        2,
        3
    ) AS `t48`
      ON `t36`.`person_key` = `t48`.`person_key`
      AND `t36`.`order_id` = `t48`.`order_id`
      AND `t36`.`paid` = `t48`.`paid`
  ) AS `t51`
)
SELECT
  `t69`.`person_key`,
  CAST(CASE
    WHEN (
      `t69`.`referrals_365d` > 0
    ) AND (
      `t69`.`orders_180d` >= 1
    )
    THEN 51
    WHEN CASE
      WHEN (
        `t69`.`spend_365d` < 30000
      ) OR (
        `t69`.`orders_180d` = 0
      )
      THEN FALSE
      WHEN (
        `t69`.`spend_365d` >= 50000
      ) AND (
        `t69`.`orders` >= 2
      )
      THEN TRUE
      ELSE COALESCE(`t69`.`latched_vip`, FALSE)
    END
    THEN 43
    WHEN (
      `t69`.`orders` >= 2
    ) AND (
      `t69`.`orders_180d` >= 1
    )
    THEN 42
    WHEN (
      `t69`.`orders` >= 1
    ) AND (
      `t69`.`orders_180d` = 0
    )
    THEN 41
    WHEN (
      `t69`.`orders` = 1
    ) AND (
      `t69`.`orders_180d` >= 1
    )
    THEN 31
    WHEN `t69`.`leads` > 0
    THEN 22
    WHEN `t69`.`touches_90d` > 0
    THEN 21
    WHEN `t69`.`seen` > 0
    THEN 11
    ELSE 0
  END AS BIGINT) AS `rank`
FROM (
  SELECT
    `t68`.`person_key`,
    `t68`.`seen`,
    `t68`.`touches_90d`,
    `t68`.`leads`,
    `t68`.`orders`,
    `t68`.`orders_180d`,
    `t68`.`spend_365d`,
    `t68`.`referrals_365d`,
    `t68`.`latched_vip`
  FROM (
    SELECT
      `t26`.`person_key`,
      `t26`.`seen`,
      `t26`.`touches_90d`,
      `t26`.`leads`,
      `t26`.`orders`,
      `t26`.`orders_180d`,
      `t26`.`spend_365d`,
      `t26`.`referrals_365d`,
      `t67`.`person_key` AS `person_key_right`,
      `t67`.`latched_vip`
    FROM `t24` AS `t26`
    LEFT OUTER JOIN (
      SELECT
        `t65`.`person_key`,
        COALESCE(
          (
            MAX(
              (
                `t65`.`instant_number` * 2
              ) + CASE
                WHEN (
                  `t65`.`spend_365d` < 30000
                ) OR (
                  `t65`.`orders_180d` = 0
                )
                THEN 0
                WHEN (
                  `t65`.`spend_365d` >= 50000
                ) AND (
                  `t65`.`orders` >= 2
                )
                THEN 1
                ELSE CAST(NULL AS BIGINT)
              END
            ) % 2
          ) = 1,
          FALSE
        ) AS `latched_vip`
      FROM (
        SELECT
          `t64`.`person_key`,
          `t64`.`at`,
          `t64`.`orders`,
          `t64`.`orders_180d`,
          `t64`.`spend_365d`,
          ROW_NUMBER() OVER (PARTITION BY `t64`.`person_key` ORDER BY `t64`.`at` ASC NULLS LAST) - 1 AS `instant_number`
        FROM (
          SELECT
            `t63`.`person_key`,
            `t63`.`at`,
            SUM(`t63`.`orders`) OVER (
              PARTITION BY `t63`.`person_key`
              ORDER BY `t63`.`at` ASC NULLS LAST
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS `orders`,
            SUM(`t63`.`orders_180d`) OVER (
              PARTITION BY `t63`.`person_key`
              ORDER BY `t63`.`at` ASC NULLS LAST
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS `orders_180d`,
            SUM(`t63`.`spend_365d`) OVER (
              PARTITION BY `t63`.`person_key`
              ORDER BY `t63`.`at` ASC NULLS LAST
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS `spend_365d`
          FROM (
            SELECT
              `t62`.`person_key`,
              `t62`.`at`,
              SUM(`t62`.`orders`) AS `orders`,
              SUM(`t62`.`orders_180d`) AS `orders_180d`,
              SUM(`t62`.`spend_365d`) AS `spend_365d`
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
                          `t53`.`person_key`,
                          `t53`.`occurred_at` AS `at`,
                          IF(
                            `t53`.`event` IN ('order_completed')
                            AND (
                              (
                                `t53`.`reversed_at_order_refunded` IS NULL
                              )
                              OR (
                                `t53`.`reversed_at_order_refunded` > `t53`.`occurred_at`
                              )
                            ),
                            1,
                            0
                          ) AS `orders`,
                          IF(
                            `t53`.`event` IN ('order_completed')
                            AND (
                              (
                                `t53`.`reversed_at_order_refunded` IS NULL
                              )
                              OR (
                                `t53`.`reversed_at_order_refunded` > `t53`.`occurred_at`
                              )
                            ),
                            1,
                            0
                          ) AS `orders_180d`,
                          IF(`t53`.`event` IN ('order_completed'), COALESCE(`t53`.`revenue`, 0), 0) AS `spend_365d`
                        FROM `t52` AS `t53`
                      ) AS `t55`
                      UNION ALL
                      SELECT
                        *
                      FROM (
                        SELECT
                          `t53`.`person_key`,
                          `t53`.`occurred_at` + INTERVAL '180' DAY AS `at`,
                          0 AS `orders`,
                          IF(
                            `t53`.`event` IN ('order_completed')
                            AND (
                              (
                                `t53`.`reversed_at_order_refunded` IS NULL
                              )
                              OR (
                                `t53`.`reversed_at_order_refunded` >= (
                                  `t53`.`occurred_at` + INTERVAL '180' DAY
                                )
                              )
                            ),
                            -(
                              1
                            ),
                            0
                          ) AS `orders_180d`,
                          0 AS `spend_365d`
                        FROM `t52` AS `t53`
                        WHERE
                          `t53`.`event` IN ('order_completed')
                          AND `t53`.`occurred_at` <= CAST('2025-01-01T23:59:59.999999' AS TIMESTAMP)
                      ) AS `t57`
                    ) AS `t58`
                    UNION ALL
                    SELECT
                      *
                    FROM (
                      SELECT
                        `t53`.`person_key`,
                        `t53`.`occurred_at` + INTERVAL '365' DAY AS `at`,
                        0 AS `orders`,
                        0 AS `orders_180d`,
                        IF(`t53`.`event` IN ('order_completed'), -(
                          COALESCE(`t53`.`revenue`, 0)
                        ), 0) AS `spend_365d`
                      FROM `t52` AS `t53`
                      WHERE
                        `t53`.`event` IN ('order_completed')
                        AND `t53`.`occurred_at` <= CAST('2024-06-30T23:59:59.999999' AS TIMESTAMP)
                    ) AS `t54`
                  ) AS `t59`
                  UNION ALL
                  SELECT
                    *
                  FROM (
                    SELECT
                      `t53`.`person_key`,
                      `t53`.`reversed_at_order_refunded` AS `at`,
                      IF(`t53`.`event` IN ('order_completed'), -(
                        1
                      ), 0) AS `orders`,
                      IF(
                        `t53`.`event` IN ('order_completed')
                        AND (
                          `t53`.`reversed_at_order_refunded` < (
                            `t53`.`occurred_at` + INTERVAL '180' DAY
                          )
                        ),
                        -(
                          1
                        ),
                        0
                      ) AS `orders_180d`,
                      0 AS `spend_365d`
                    FROM `t52` AS `t53`
                    WHERE
                      `t53`.`reversed_at_order_refunded` > `t53`.`occurred_at`
                  ) AS `t56`
                ) AS `t60`
                UNION ALL
                SELECT
                  *
                FROM (
                  SELECT
                    `t45`.`person_key`,
                    `t45`.`back_at` AS `at`,
                    0 AS `orders`,
                    0 AS `orders_180d`,
                    IF(
                      `t45`.`event` IN ('order_completed')
                      AND (
                        `t45`.`back_at` < (
                          `t45`.`occurred_at` + INTERVAL '365' DAY
                        )
                      ),
                      -(
                        `t45`.`amount`
                      ),
                      0
                    ) AS `spend_365d`
                  FROM `t44` AS `t45`
                  WHERE
                    `t45`.`amount` > 0
                ) AS `t50`
              ) AS `t61`
              UNION ALL
              SELECT
                *
              FROM (
                SELECT
                  `t45`.`person_key`,
                  `t45`.`occurred_at` + INTERVAL '365' DAY AS `at`,
                  0 AS `orders`,
                  0 AS `orders_180d`,
                  IF(
                    `t45`.`event` IN ('order_completed')
                    AND (
                      `t45`.`back_at` < (
                        `t45`.`occurred_at` + INTERVAL '365' DAY
                      )
                    ),
                    `t45`.`amount`,
                    0
                  ) AS `spend_365d`
                FROM `t44` AS `t45`
                WHERE
                  `t45`.`amount` > 0
                  AND `t45`.`occurred_at` <= CAST('2024-06-30T23:59:59.999999' AS TIMESTAMP)
              ) AS `t49`
            ) AS `t62`
            GROUP BY
              1,
              2
          ) AS `t63`
        ) AS `t64`
      ) AS `t65`
      GROUP BY
        1
    ) AS `t67`
      ON `t26`.`person_key` = `t67`.`person_key`
  ) AS `t68`
) AS `t69`
