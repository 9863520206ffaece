-- Precedes claim.lua, commit.lua and instance-renew.lua. server_term() is the term of the server's data: its replication
-- id, which changes with each restart and each failover. Empty where a server has no such id, or where INFO is forbidden.
local function server_term()
  local info = redis.pcall('INFO', 'replication')
  return type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or ''
end
