-- Precedes event-append.lua, event-acknowledge.lua and event-hold.lua. trim(log) forgets the entries that every group
-- has taken and acknowledged, and none while there is no group: the first one shall find them all.
local function parts(id)
  local dash = string.find(id, '-', 1, true)
  return tonumber(string.sub(id, 1, dash - 1)), tonumber(string.sub(id, dash + 1))
end

local function precedes(a, b)
  local aTime, aSequence = parts(a)
  local bTime, bSequence = parts(b)
  return aTime < bTime or (aTime == bTime and aSequence < bSequence)
end

local function trim(log)
  if redis.call('EXISTS', log) == 0 then return end
  local oldest
  for _, fields in ipairs(redis.call('XINFO', 'GROUPS', log)) do
    local group = {}
    for i = 1, #fields, 2 do group[fields[i]] = fields[i + 1] end
    local wanted
    if group['pending'] > 0 then
      wanted = redis.call('XPENDING', log, group['name'])[2]
    else
      local time, sequence = parts(group['last-delivered-id'])
      wanted = string.format('%.0f-%.0f', time, sequence + 1)
    end
    if not oldest or precedes(wanted, oldest) then oldest = wanted end
  end
  if oldest then redis.call('XTRIM', log, 'MINID', oldest) end
end
