-- Writes what a partition's owner decided, if it still is the owner: rows, position, lifecycle and publications together.
-- Follows server-term.lua.
-- KEYS[1]  meta of the partition (hash: owner, fence, seq, pos, term, …)
-- KEYS[2]  lifecycle of the partition (stream)
-- KEYS[3]  outbox of the partition (list: owner and sequence of the commit, channel, envelope, channel, envelope, …)
-- KEYS[4…] hashes to change
-- ARGV[1]  owner, as its claim names it
-- ARGV[2]  sequence that this commit builds on
-- ARGV[3]  position in the log that is applied with it
-- ARGV[4]  time to live of meta, ms
-- ARGV[5]  time to live of hashes and lifecycle, ms
-- ARGV[6]  entries the lifecycle may hold
-- ARGV[7]  term of the server, as the claim found it
-- ARGV[8]  time to live of the outbox, ms, where rooms are on other servers; else 0. Above 0, the outbox gets the envelopes.
-- ARGV[9…] for each hash: 1 to clear it first or 0, n, n fields to remove, m, m fields and values to set
--          then: number of lifecycle events, for each: n, n fields and values
--          then: channel, envelope, channel, envelope, …; one without its 0x02 has the body of the one before
-- Returns 1, or 0 when the claim, the sequence or the server's term is another.
local state = redis.call('HMGET', KEYS[1], 'owner', 'seq')
if state[1] ~= ARGV[1] or (state[2] or '0') ~= ARGV[2] or server_term() ~= ARGV[7] then
  return 0
end

-- Arguments of one call; Lua's stack takes about 8,000.
local CHUNK = 4000
local at = 9

local function call_in_chunks(command, key, count)
  local last = at + count - 1
  while at <= last do
    local to = math.min(at + CHUNK - 1, last)
    redis.call(command, key, unpack(ARGV, at, to))
    at = to + 1
  end
end

local function number()
  at = at + 1
  return tonumber(ARGV[at - 1])
end

for i = 4, #KEYS do
  if number() == 1 then
    redis.call('DEL', KEYS[i])
  end
  call_in_chunks('HDEL', KEYS[i], number())
  local fields = number()
  call_in_chunks('HSET', KEYS[i], fields)
  if fields > 0 then
    redis.call('PEXPIRE', KEYS[i], ARGV[5])
  end
end

local events = number()
for _ = 1, events do
  local fields = number()
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], '*', unpack(ARGV, at, at + fields - 1))
  at = at + fields
end
if events > 0 then
  redis.call('PEXPIRE', KEYS[2], ARGV[5])
end

if ARGV[8] ~= '0' then
  redis.call('DEL', KEYS[3])
  redis.call('RPUSH', KEYS[3], ARGV[1] .. '/' .. ARGV[2])
  call_in_chunks('RPUSH', KEYS[3], #ARGV - at + 1)
  redis.call('PEXPIRE', KEYS[3], ARGV[8])
end
local whole, mark
while at < #ARGV do
  local envelope = ARGV[at + 1]
  local own = string.find(envelope, '\2', 1, true)
  if own then
    whole, mark = envelope, own
  else
    envelope = envelope .. string.sub(whole, mark)
  end
  redis.call('PUBLISH', ARGV[at], envelope)
  at = at + 2
end

redis.call('HSET', KEYS[1], 'seq', string.format('%d', ARGV[2] + 1), 'pos', ARGV[3], 'term', ARGV[7])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
