-- Notes that the end of a job was seen, so that the next click may put it back again. Where it has
-- failed, that failure is the one of its entry: RQ may have tried it several times.
--
-- KEYS: the job, the mark that outlives it
-- ARGV: cycle of the mark, id of its entry
local job = redis.call('HMGET', KEYS[1], 'status', 'redrive_cycle', 'enqueued_at')
if not job[1] or job[2] ~= ARGV[1] then
    return 0
end
redis.call('HSET', KEYS[1], 'redrive_settled', '1')
redis.call('DEL', KEYS[2])
if job[3] and (job[1] == 'failed' or job[1] == 'stopped') then
    redis.call('HSET', KEYS[1], 'redrive_enqueued_at', job[3], 'redrive_id', ARGV[2])
end
return 1
