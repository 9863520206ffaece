-- Begins or renews the lease of a presence instance, drops those that expired, and lists the living. Follows server-term.lua.
-- KEYS[1]  instances (sorted set: instance → expiry, ms since 1970)
-- ARGV[1]  instance
-- ARGV[2]  lease, ms
-- Returns the time in ms since 1970, the server's term, then the living.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local reply = redis.call('ZRANGE', KEYS[1], 0, -1)
table.insert(reply, 1, server_term())
table.insert(reply, 1, string.format('%d', now))
return reply
