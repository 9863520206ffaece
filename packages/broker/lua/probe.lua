-- Publishes a probe, if Redis takes writes: the only proof is to write.
-- KEYS[1]  written and deleted by the probe (string)
-- KEYS[2]  kept envelopes (stream), of publish-kept.lua
-- ARGV[1]  channel
-- ARGV[2]  envelope; its third byte is the first of the header's fields
-- Returns 0. Who hears the probe has heard everything that was kept before it: its id stands first in the header.
redis.call('SET', KEYS[1], '')
redis.call('DEL', KEYS[1])
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local id = last and last[1] or '0-0'
redis.call('PUBLISH', ARGV[1], string.sub(ARGV[2], 1, 2) .. '"L":"' .. id .. '",' .. string.sub(ARGV[2], 3))
return 0
