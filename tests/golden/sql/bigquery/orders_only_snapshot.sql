SELECT
  `t11`.`person_key`,
  CAST(CASE
    WHEN (
      `t11`.`orders_365d` >= 4
    )
    AND (
      `t11`.`orders_180d` >= 1
    )
    AND (
      `t11`.`spend_365d` >= 50000
    )
    THEN 26
    WHEN (
      `t11`.`orders_365d` >= 4
    ) AND (
      `t11`.`orders_180d` >= 1
    )
    THEN 25
    WHEN (
      `t11`.`orders_90d` >= 1
    )
    AND (
      `t11`.`orders_365d` = `t11`.`orders_90d`
    )
    AND (
      `t11`.`orders` > `t11`.`orders_365d`
    )
    THEN 24
    WHEN (
      `t11`.`orders` >= 2
    ) AND (
      `t11`.`orders_180d` >= 1
    )
    THEN 23
    WHEN (
      `t11`.`orders_365d` >= 1
    ) AND (
      `t11`.`orders_180d` = 0
    )
    THEN 22
    WHEN (
      `t11`.`orders` >= 1
    ) AND (
      `t11`.`orders_365d` = 0
    )
    THEN 21
    WHEN (
      `t11`.`orders` = 1
    ) AND (
      `t11`.`orders_180d` = 1
    )
    THEN 12
    WHEN `t11`.`placed` > 0
    THEN 11
    ELSE 0
  END AS INT64) AS `rank`
FROM (
  SELECT
    `t10`.`person_key`,
    SUM(IF(`t10`.`event` IN ('order_completed'), 1, 0)) AS `placed`,
    SUM(
      IF(
        `t10`.`event` IN ('order_completed')
        AND (
          `t10`.`standing_after_order_refunded` IS NOT NULL
        ),
        1,
        0
      )
    ) AS `orders`,
    SUM(
      IF(
        `t10`.`event` IN ('order_completed')
        AND (
          `t10`.`occurred_at` > DATETIME('2025-04-01T23:59:59.999999')
        )
        AND (
          `t10`.`standing_after_order_refunded` IS NOT NULL
        ),
        1,
        0
      )
    ) AS `orders_90d`,
    SUM(
      IF(
        `t10`.`event` IN ('order_completed')
        AND (
          `t10`.`occurred_at` > DATETIME('2025-01-01T23:59:59.999999')
        )
        AND (
          `t10`.`standing_after_order_refunded` IS NOT NULL
        ),
        1,
        0
      )
    ) AS `orders_180d`,
    SUM(
      IF(
        `t10`.`event` IN ('order_completed')
        AND (
          `t10`.`occurred_at` > DATETIME('2024-06-30T23:59:59.999999')
        )
        AND (
          `t10`.`standing_after_order_refunded` IS NOT NULL
        ),
        1,
        0
      )
    ) AS `orders_365d`,
    SUM(
      IF(
        `t10`.`event` IN ('order_completed')
        AND (
          `t10`.`occurred_at` > DATETIME('2024-06-30T23:59:59.999999')
        )
        AND (
          `t10`.`standing_after_order_refunded` IS NOT NULL
        ),
        `t10`.`standing_after_order_refunded`,
        0
      )
    ) AS `spend_365d`
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
        `t0`.`cost`,
        COALESCE(`t0`.`revenue`, 0) AS `standing_after_order_refunded`
      FROM `log` AS `t0`
      WHERE
        `t0`.`occurred_at` <= DATETIME('2025-06-30T23:59:59.999999')
        AND `t0`.`event` IN ('order_completed')
        AND NOT (
          (
            `t0`.`refunded_at` IS NOT NULL
          )
          AND (
            `t0`.`refunded_at` <= DATETIME('2025-06-30T23:59:59.999999')
          )
        )
    ) AS `t4`
    UNION ALL
    SELECT
      *
    FROM (
      SELECT
        `t8`.`person_key`,
        `t8`.`event`,
        `t8`.`occurred_at`,
        `t8`.`known_at`,
        `t8`.`business_day`,
        `t8`.`order_id`,
        `t8`.`revenue`,
        `t8`.`session_id`,
        `t8`.`channel`,
        `t8`.`refunded_at`,
        `t8`.`device_key`,
        `t8`.`linked_at`,
        `t8`.`cost`,
        CASE
          WHEN `t8`.`given` IS NULL
          THEN `t8`.`paid`
          WHEN `t8`.`given` < `t8`.`paid`
          THEN `t8`.`paid` - `t8`.`given`
          ELSE NULL
        END AS `standing_after_order_refunded`
      FROM (
        SELECT
          `t3`.`person_key`,
          `t3`.`event`,
          `t3`.`occurred_at`,
          `t3`.`known_at`,
          `t3`.`business_day`,
          `t3`.`order_id`,
          `t3`.`revenue`,
          `t3`.`session_id`,
          `t3`.`channel`,
          `t3`.`refunded_at`,
          `t3`.`device_key`,
          `t3`.`linked_at`,
          `t3`.`cost`,
          `t3`.`paid`,
          `t7`.`person_key` AS `person_key_right`,
          `t7`.`order_id` AS `order_id_right`,
          `t7`.`given`
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
            `t0`.`occurred_at` <= DATETIME('2025-06-30T23:59:59.999999')
            AND `t0`.`event` IN ('order_completed')
            AND `t0`.`refunded_at` IS NOT NULL
            AND `t0`.`refunded_at` <= DATETIME('2025-06-30T23:59:59.999999')
        ) AS `t3`
        LEFT OUTER JOIN (
          SELECT
            `t5`.`person_key`,
            `t5`.`order_id`,
            IF(`t5`.`everything` = 1, 10000000000000000, `t5`.`amount`) AS `given`
          FROM (
            SELECT
              `t1`.`person_key`,
              `t1`.`order_id`,
              SUM(COALESCE(`t1`.`revenue`, 0)) AS `amount`,
              MAX(CAST(`t1`.`revenue` IS NULL AS INT64)) AS `everything`
            FROM (
              SELECT
                *
              FROM `log` AS `t0`
              WHERE
                `t0`.`occurred_at` <= DATETIME('2025-06-30T23:59:59.999999')
                AND `t0`.`event` = 'order_refunded'
                AND `t0`.`order_id` IS NOT NULL
            ) AS `t1`
            GROUP BY
              1,
              2
          ) AS `t5`
        ) AS `t7`
          ON `t3`.`person_key` = `t7`.`person_key` AND `t3`.`order_id` = `t7`.`order_id`
      ) AS `t8`
    ) AS `t9`
  ) AS `t10`
  GROUP BY
    1
) AS `t11`
