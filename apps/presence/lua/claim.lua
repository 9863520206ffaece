-- Takes a partition over, unless somebody alive holds it.
-- KEYS[1]  meta of the partition (hash: owner, fence, seq, pos, …)
-- KEYS[2…] hashes that a lost partition must not find again
-- ARGV[1]  instance
-- ARGV[2]  time to live of meta, ms
-- ARGV[3…] instances that are alive
-- Returns fence, seq, pos (seq and pos empty when the partition is lost), or nothing when somebody alive holds it.
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= '' then
  local holder = string.match(owner, '^(.*)|%d+$')
  if holder ~= ARGV[1] then
    for i = 3, #ARGV do
      if ARGV[i] == holder then
        return false
      end
    end
  end
end
local seq = redis.call('HGET', KEYS[1], 'seq')
if not seq then
  for i = 2, #KEYS do
    redis.call('DEL', KEYS[i])
  end
end
-- Not below the time: the online count outlives a lost meta, and must not outrank its next owner.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fence = string.format('%d', math.max((redis.call('HGET', KEYS[1], 'fence') or 0) + 1, now))
redis.call('HSET', KEYS[1], 'fence', fence, 'owner', ARGV[1] .. '|' .. fence)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { fence, seq or '', redis.call('HGET', KEYS[1], 'pos') or '' }
