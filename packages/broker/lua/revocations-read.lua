-- Reads a page of the changes after a version.
-- KEYS[1]  entries, KEYS[2] versions, KEYS[3] ends, KEYS[4] meta: as revocations-put.lua has them
-- ARGV[1]  the version; ARGV[2] the size of the page
-- Returns epoch, version, then id, version, JSON of each change, oldest first.
local head = redis.call('HMGET', KEYS[4], 'epoch', 'version')
local page = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local result = { head[1] or '', head[2] or '0' }
for at = 1, #page, 2 do
  result[#result + 1] = page[at]
  result[#result + 1] = page[at + 1]
  result[#result + 1] = redis.call('HGET', KEYS[1], page[at]) or ''
end
return result
