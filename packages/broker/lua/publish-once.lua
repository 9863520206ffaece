-- Publishes one envelope, or does nothing when its idempotency key is known.
-- KEYS[1]  idempotency key
-- ARGV[1]  channel
-- ARGV[2]  envelope
-- ARGV[3]  idempotency window, ms
-- Returns 1 when the key was known and 0 otherwise.
if not redis.call('SET', KEYS[1], '', 'PX', ARGV[3], 'NX') then return 1 end
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 0
