"""Redis's side of pacing: one step for asking a platform's turn, one for giving it back.

Each is a script, because many workers ask at once and what is counted must be counted in one
step. Redis's own clock is used, so that workers on several machines agree. ``%.0f``, because Lua
would write a number of milliseconds in scientific notation and lose its tail.

Keys: 1 the timetable, 2 the pause, 3 the places in flight, 4 the breaker, 5 the allowance.
"""

_NOW = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function whole(number) return string.format('%.0f', number) end
"""

GO, PAUSED, BUSY, LEFT_ALONE = 1, 2, 3, 4
"""What ``BEGIN`` answers, with milliseconds: go after them, or the reason why not.

``LEFT_ALONE`` comes with a third number: since how many milliseconds the platform fails.
"""

BEGIN = (
    _NOW
    + """
local interval, slack, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local most, lease, place = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]

local left_until = tonumber(redis.call('HGET', KEYS[4], 'until') or '0')
local since = tonumber(redis.call('HGET', KEYS[4], 'since') or whole(now))
if left_until > now then return {4, math.ceil(left_until - now), math.ceil(now - since)} end
if left_until > 0 then
  local probe_until = tonumber(redis.call('HGET', KEYS[4], 'probe') or '0')
  if probe_until > now then
    return {4, math.min(math.ceil(probe_until - now), 5000), math.ceil(now - since)}
  end
end

redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
if redis.call('ZCARD', KEYS[3]) >= most then return {3, 0} end

local booked = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local paused = tonumber(redis.call('GET', KEYS[2]) or '0')
if paused > now then booked = math.max(booked, paused + slack) end
local start = math.max(booked - slack, now)
if start - now > patience then return {2, math.ceil(start - now)} end
local life = math.ceil(booked + interval - now) + 1000
redis.call('SET', KEYS[1], whole(booked + interval), 'PX', life)

local ends = math.ceil(start + lease)
redis.call('ZADD', KEYS[3], whole(ends), place)
redis.call('PEXPIRE', KEYS[3], math.max(ends - now, redis.call('PTTL', KEYS[3])))
if left_until > 0 then redis.call('HSET', KEYS[4], 'probe', whole(ends)) end
return {1, math.ceil(start - now)}
"""
)

# A place that came free meanwhile is not taken again: somebody else may have it.
RENEW = (
    _NOW
    + """
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
local ends = now + tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], 'GT', whole(ends), ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[2]), redis.call('PTTL', KEYS[1])))
return 1
"""
)
"""Key: the places in flight; the place and for how many milliseconds it is held from now on."""

# A platform is up with its first answer that is none of its troubles. What neither speaks for nor
# against it gives the probe back.
END = (
    _NOW
    + """
local place, is_up, remaining = ARGV[1], ARGV[2], tonumber(ARGV[3])
local most_failures, first, longest = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local low_share, drained_a_second = tonumber(ARGV[7]), tonumber(ARGV[8])

redis.call('ZREM', KEYS[3], place)
if is_up == '1' then redis.call('DEL', KEYS[4])
elseif is_up == '' then redis.call('HDEL', KEYS[4], 'probe')
else
  local failures = redis.call('HINCRBY', KEYS[4], 'failures', 1)
  local left_until = tonumber(redis.call('HGET', KEYS[4], 'until') or '0')
  local life = 600000
  if failures >= most_failures and left_until <= now then
    local times = redis.call('HINCRBY', KEYS[4], 'times', 1)
    local span = math.min(first * 2 ^ (times - 1), longest)
    redis.call('HSETNX', KEYS[4], 'since', whole(now))
    redis.call('HSET', KEYS[4], 'until', whole(now + span))
    redis.call('HDEL', KEYS[4], 'probe')
    life = span + 3600000
  end
  redis.call('PEXPIRE', KEYS[4], whole(math.max(life, redis.call('PTTL', KEYS[4]))))
end

if remaining then
  local largest = math.max(tonumber(redis.call('GET', KEYS[5]) or '0'), remaining)
  redis.call('SET', KEYS[5], tostring(largest), 'PX', 3600000)
  local missing = largest * low_share - remaining
  if missing > 0 then
    local asked = now + missing / drained_a_second * 1000
    if asked > tonumber(redis.call('GET', KEYS[2]) or '0') then
      redis.call('SET', KEYS[2], whole(asked), 'PX', whole(asked - now + 1))
    end
  end
end
return 1
"""
)

PAUSE = (
    _NOW
    + """
local asked = now + tonumber(ARGV[1])
if asked > tonumber(redis.call('GET', KEYS[2]) or '0') then
  redis.call('SET', KEYS[2], whole(asked), 'PX', ARGV[1])
end
return 1
"""
)
