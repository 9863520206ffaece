-- Precedes claim.lua, commit.lua and instance-renew.lua. server_term() is the term of the server's data: its replication
-- id, which changes with each restart and each failover. Empty where a server has no such id.
local function server_term()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or ''
end
