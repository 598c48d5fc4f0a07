-- Puts a failed job back into its own queue, as RQ does when a job is requeued, at most once for
-- each cycle: the time of the click, in microseconds. Its data is not touched.
--
-- KEYS: the job, its failed-job registry, its queue, RQ's set of queues, the mark that outlives a job
-- ARGV: job id, queue's name, cycle, time as RQ writes it, id of its entry, seconds that the mark lives
-- Returns what was done (put_back, follow, taken, gone, elsewhere, limited) and the cycle of the mark.
local job = redis.call('HMGET', KEYS[1], 'status', 'origin', 'redrive_cycle', 'redrive_settled',
                       'rate_limit_key', 'ttl')
local status, origin, cycle, settled = job[1], job[2], job[3], job[4]
if not status then
    return {'gone', redis.call('GET', KEYS[5]) or ''}
end
if origin ~= ARGV[2] then
    return {'elsewhere', ''}
end
if status ~= 'failed' and status ~= 'stopped' then
    return {'follow', cycle or ''}
end
-- What this click or a later one has put back already, and what was not seen to its end.
if cycle and (tonumber(cycle) >= tonumber(ARGV[3]) or settled ~= '1') then
    return {'follow', cycle}
end
if job[5] and job[5] ~= '' then
    return {'limited', ''}
end
if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then
    -- Another process is requeueing it at this moment, or has taken it out.
    return {'taken', ''}
end
redis.call('HSET', KEYS[1], 'status', 'queued', 'enqueued_at', ARGV[4], 'started_at', '',
           'ended_at', '', 'redrive_cycle', ARGV[3], 'redrive_settled', '0',
           'redrive_enqueued_at', ARGV[4], 'redrive_id', ARGV[5])
redis.call('HDEL', KEYS[1], 'exc_info')
if job[6] and tonumber(job[6]) and tonumber(job[6]) > 0 then
    redis.call('EXPIRE', KEYS[1], math.floor(tonumber(job[6])))
end
-- Where no results are kept, RQ deletes a job as soon as it has succeeded.
redis.call('SET', KEYS[5], ARGV[3], 'EX', ARGV[6])
redis.call('SADD', KEYS[4], KEYS[3])
redis.call('RPUSH', KEYS[3], ARGV[1])
return {'put_back', ARGV[3]}
