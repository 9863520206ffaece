-- Replaces the announced namespaces in one step: no reader finds the hash without a namespace that it had and has.
-- KEYS[1]  namespaces (hash: name, JSON)
-- ARGV[1]  time to live, ms
-- ARGV[2…] name, JSON, name, JSON, …
local namespaces = KEYS[1]
-- The first write is one that a full Redis refuses.
redis.call('HSET', namespaces, ARGV[2], ARGV[3])
redis.call('DEL', namespaces)
-- Lua's stack takes about 8,000 arguments.
for at = 2, #ARGV, 4000 do
  redis.call('HSET', namespaces, unpack(ARGV, at, math.min(at + 3999, #ARGV)))
end
redis.call('PEXPIRE', namespaces, ARGV[1])
return 1
