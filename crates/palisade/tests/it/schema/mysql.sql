SELECT CONCAT(table_name, '.', column_name, ' ', column_type, IF(is_nullable = 'YES', ' null', ''),
              IF(extra = '', '', CONCAT(' ', extra)))
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name REGEXP '^(auth_|django_(session|content_type)$)'
UNION ALL
SELECT CONCAT(table_name, ' ', index_name, ' (', GROUP_CONCAT(column_name ORDER BY seq_in_index), ')',
              IF(non_unique, '', ' unique'))
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name REGEXP '^(auth_|django_(session|content_type)$)'
GROUP BY table_name, index_name, non_unique
UNION ALL
SELECT CONCAT(table_name, '.', column_name, ' ', constraint_name, ' ', referenced_table_name, '.', referenced_column_name)
FROM information_schema.key_column_usage
WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL
      AND table_name REGEXP '^(auth_|django_(session|content_type)$)'
