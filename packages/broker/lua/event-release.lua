-- Gives a lease up, if it is this consumer's.
-- KEYS[1]  the lease (string: consumer)
-- ARGV[1]  consumer
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
