-- Publishes a probe, if Redis takes writes: the only proof is to write.
-- KEYS[1]  written and deleted by the probe (string)
-- ARGV[1]  channel
-- ARGV[2]  envelope; its third byte is the first of the header's fields
-- Returns 0. A subscriber that receives the probe has received everything that this server kept before the millisecond that
-- is first in the header.
redis.call('SET', KEYS[1], '')
redis.call('DEL', KEYS[1])
local time = redis.call('TIME')
local before = string.format('%d-9999999', time[1] * 1000 + math.floor(time[2] / 1000) - 1)
redis.call('PUBLISH', ARGV[1], string.sub(ARGV[2], 1, 2) .. '"L":"' .. before .. '",' .. string.sub(ARGV[2], 3))
return 0
