SELECT table_name || '.' || column_name || ' ' || data_type || coalesce('(' || character_maximum_length || ')', '')
       || CASE is_nullable WHEN 'YES' THEN ' null' ELSE '' END
       || CASE is_identity WHEN 'YES' THEN ' identity ' || identity_generation ELSE '' END
FROM information_schema.columns WHERE table_name ~ '^(auth_|django_(session|content_type)$)'
UNION ALL
SELECT indexdef FROM pg_indexes WHERE tablename ~ '^(auth_|django_(session|content_type)$)'
UNION ALL
SELECT conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conrelid::regclass::text ~ '^(auth_|django_(session|content_type)$)'
