-- Window of the task. One row.
SELECT strftime(window_start, '%Y-%m-%dT%H:%M:%S.%fZ') AS window_start, strftime(window_end, '%Y-%m-%dT%H:%M:%S.%fZ') AS window_end FROM task
