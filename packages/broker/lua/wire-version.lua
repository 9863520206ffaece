-- Precedes node-reap.lua. write_wire_version(now) decides the version that nodes write: what all of them read. It falls
-- immediately, and rises when they have read the higher one for some time.
-- KEYS[1]  the living: the name of an incarnation ends with the version that it reads
-- KEYS[4]  the version (hash: written, lowest: that the nodes read, since: they read more than is written, ms since 1970)
-- ARGV[6]  version that the instances of presence read
-- ARGV[7]  ms for which all must have read a higher version
-- ARGV[8]  time to live, ms: without presence, nodes write the version that the oldest reads
local function write_wire_version(now)
  local lowest = tonumber(ARGV[6])
  for _, incarnation in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    lowest = math.min(lowest, tonumber(string.match(incarnation, '%.v(%d+)$') or 1))
  end
  local state = redis.call('HMGET', KEYS[4], 'written', 'since')
  local written, since = tonumber(state[1] or 1), tonumber(state[2] or now)
  if lowest <= written then
    written, since = lowest, now
  elseif now - since >= tonumber(ARGV[7]) then
    written = lowest
  end
  redis.call('HSET', KEYS[4], 'written', string.format('%d', written), 'lowest', string.format('%d', lowest),
    'since', string.format('%d', since))
  redis.call('PEXPIRE', KEYS[4], ARGV[8])
end
