-- Small functions that the queries of this folder share. An address loses its v4-mapped disguise; what the sensor prints
-- for an address it could not read is none.
CREATE OR REPLACE TEMP MACRO plain_address(text) AS
  CASE WHEN text IS NULL OR text IN ('', 'invalid IP') THEN NULL
       WHEN text LIKE '::ffff:%.%' THEN substr(text, 8)
       ELSE lower(text) END;
CREATE OR REPLACE TEMP MACRO argument_integer(argument) AS
  coalesce(argument.int_arg, argument.uint_arg, argument.long_arg, try_cast(argument.size_arg AS BIGINT));
-- v4 address as 32 hex digits; v6 is looked up in the table address, filled once for each distinct one.
CREATE OR REPLACE TEMP MACRO v4_hex(text) AS
  '00000000000000000000ffff' || printf('%02x%02x%02x%02x',
    CAST(split_part(text, '.', 1) AS INTEGER), CAST(split_part(text, '.', 2) AS INTEGER),
    CAST(split_part(text, '.', 3) AS INTEGER), CAST(split_part(text, '.', 4) AS INTEGER));
-- Whether a host is an endpoint of an AWS service (eventSource), for records that don't tell the host that was asked.
CREATE OR REPLACE TEMP MACRO service_host(service, host) AS
  host = service
  OR starts_with(host, split_part(service, '.', 1) || '.') AND (ends_with(host, '.amazonaws.com') OR ends_with(host, '.api.aws') OR ends_with(host, '.amazonaws.com.cn'))
  OR contains(host, '.' || split_part(service, '.', 1) || '.') AND (ends_with(host, '.amazonaws.com') OR ends_with(host, '.amazonaws.com.cn'));
-- Addresses that no public service has (RFC 1918, 6598, 3927, 4193, 4291).
CREATE OR REPLACE TEMP MACRO is_private(text) AS
  regexp_matches(text, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)');
