-- Publishes one envelope and keeps it for subscribers whose connection is broken, or does nothing when its idempotency key is known.
-- KEYS[1]  kept envelopes of the channel (stream: e envelope)
-- KEYS[2]  idempotency key (string); may be missing
-- ARGV[1]  channel
-- ARGV[2]  envelope; its third byte is the first of the header's fields
-- ARGV[3]  envelopes to keep, about
-- ARGV[4]  time to live of the kept envelopes, ms
-- ARGV[5]  idempotency window, ms
-- Returns 1 when the key was known and 0 otherwise.
if KEYS[2] and not redis.call('SET', KEYS[2], '', 'PX', ARGV[5], 'NX') then return 1 end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'e', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PUBLISH', ARGV[1], string.sub(ARGV[2], 1, 2) .. '"l":"' .. id .. '",' .. string.sub(ARGV[2], 3))
return 0
