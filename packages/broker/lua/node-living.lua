-- Lists the living with the time left to each.
-- KEYS[1]  the living (sorted set: incarnation → expiry, ms since 1970)
-- Returns incarnation, ms left, incarnation, ms left, …
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local living = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 2, #living, 2 do
  living[i] = tostring(living[i] - now)
end
return living
