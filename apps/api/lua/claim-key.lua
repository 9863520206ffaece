-- Binds an idempotency key to a request, or reports that it belongs to another one.
-- KEYS[1]  the key
-- ARGV[1]  fingerprint of what it is used for
-- ARGV[2]  time to live, ms; begins again with each use
-- Returns 1 when the key is this request's, and 0 when it is another's.
local known = redis.call('GET', KEYS[1])
if known and known ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
