"""What an operator's desk shows after a busy month, as rows: written by PostgreSQL itself, in the order of their ids.

Sizes follow from the number of messages: as many usage records and remembered messages, a tenth as many people.
"""

from collections.abc import Callable
from typing import Any

# Besides one that hardly anybody writes to.
BOTS = 4
# One message in so many is dead, uncertain or failed: few, as an operator finds them, and none of them near the end.
RARE = 50_000
MOST_RARE = 3
PENDING = 40

# n is a row's number, {m} how many messages there are, {p} how many people.
STATEMENTS = (
    # (Whole rows, whatever columns there are.)
    """INSERT INTO bot_bot SELECT another.* FROM bot_bot bot, generate_series(2, {bots} + 1) n, LATERAL
    jsonb_populate_record(bot, jsonb_build_object('id', nextval(pg_get_serial_sequence('bot_bot', 'id')), 'slug',
        'bench-' || n, 'name', 'Bench ' || n, 'account_id', 'bench-' || n)) AS another
    WHERE bot.slug = 'bench'""",
    """INSERT INTO users_user (password, is_superuser, phone_number, name, role, is_whitelisted, is_staff, created_at,
        updated_at)
    SELECT '!', FALSE, '+49161' || (10000000 + n),
        (ARRAY['Ada','Ben','Carla','Deniz','Emil','Fatma','Greta','Hugo','Ines','Jonas'])[1 + n % 10] || ' ' ||
        (ARRAY['Albers','Brandt','Conrad','Demir','Ebert','Falk','Gross','Haas','Ilic','Jansen'])[1 + n / 10 % 10] ||
        CASE WHEN n % 3 = 0 THEN ' ' || n ELSE '' END,
        CASE WHEN n % 20000 = 7 THEN 'admin' ELSE 'user' END, n % 50 <> 0, n % 20000 = 7,
        now() - (({p} - n) || ' minutes')::interval, now() FROM generate_series(0, {p} - 1) n""",
    """INSERT INTO users_identity (user_id, channel, address, created_at)
    SELECT id, 'whatsapp', 'DE.' || md5(id::text), created_at FROM users_user WHERE id % 3 = 0""",
    """INSERT INTO bot_inboundmessage (bot_id, external_id, address, kind, payload, state, turn_key, attempts,
        error_code, sent_at, received_at, available_at, begun_at, finished_at, request_id, steps)
    SELECT bot, 'wamid.' || md5(n::text), '+49161' || (10000000 + person), CASE WHEN n % 30 = 0 THEN 'audio' ELSE
        'text' END, CASE WHEN state = 'done' THEN '{{}}' ELSE '{{"text": "When are you open?"}}' END::jsonb, state,
        CASE WHEN state = 'pending' THEN NULL ELSE n END, 1, CASE WHEN state = 'dead' THEN 'INTERNAL_ERROR' WHEN n %
        {rare} = 1 AND n < {rare} * {most_rare} THEN 'UNCERTAIN:timeout' ELSE '' END, at, at, at, CASE WHEN state =
        'done' THEN at + interval '1 second' END, CASE WHEN state = 'done' THEN at + n % 9 * interval '1 second' +
        interval '1 second' END, md5(n::text), CASE WHEN state = 'done' THEN
        '[["access", 12], ["completion", 1812], ["stored", 1820]]'::jsonb END
    FROM (SELECT n, {first_bot} + CASE WHEN n % {rare} = 5 THEN {bots} ELSE n % {bots} END AS bot, n::bigint * 7919 %
        {p} AS person, now() - ({m} - n) * interval '8 days' / {m} AS at, CASE WHEN n % {rare} = 0 AND n < {rare} *
        {most_rare} THEN 'dead' WHEN n > {m} - {pending} THEN 'pending' ELSE 'done' END AS state
        FROM generate_series(1, {m}) n) AS numbered""",
    """INSERT INTO bot_outboundmessage (bot_id, address, turn_key, part, text, status, external_id, attempts,
        error_code, created_at, updated_at, sending_at, sent_at, delivered_at, read_at)
    SELECT bot_id, address, turn_key, 1, CASE WHEN received_at > now() - interval '1 day' OR turn_key % {rare} < 3 AND
        turn_key < {rare} * {most_rare} THEN 'From nine to six.' ELSE '' END, CASE WHEN turn_key < {rare} * {most_rare}
        AND turn_key % {rare} < 3 THEN (ARRAY['failed', 'uncertain', 'expired'])[1 + turn_key % {rare}] WHEN turn_key %
        10 = 0 THEN 'sent' WHEN turn_key % 3 = 0 THEN 'delivered' ELSE 'read' END, 'wamid.out' || md5(turn_key::text),
        1, CASE WHEN turn_key < {rare} * {most_rare} AND turn_key % {rare} < 3 THEN 'CHANNEL_ERROR:131026' ELSE '' END,
        received_at, received_at, received_at, received_at, received_at, received_at
    FROM bot_inboundmessage WHERE turn_key IS NOT NULL ORDER BY id""",
    """INSERT INTO bot_lease (bot_id, address, worker, fence, expires_at, deaths)
    SELECT {first_bot} + n % {bots}, '+49161' || (10000000 + n), CASE WHEN n % 100 = 0 THEN 'worker-1' ELSE '' END, 3,
        now() + (n % 100 - 98) * interval '10 seconds', 0 FROM generate_series(0, {p} - 1) n""",
    """INSERT INTO conversations_conversation (user_id, bot, created_at, expires_at)
    SELECT {first_person} + n, 'bench', now() - interval '7 days', now() + n * interval '7 days' / {p}
    FROM generate_series(0, {p} - 1) n""",
    """INSERT INTO conversations_message (conversation_id, role, content, created_at)
    SELECT {first_conversation} + n::bigint / 2 * 7919 % {p}, CASE n % 2 WHEN 0 THEN 'user' ELSE 'assistant' END, CASE
        n % 2 WHEN 0 THEN 'When are you open on Saturday?' ELSE repeat('We are open from nine to six. ', 6) END,
        now() - ({m} - n) * interval '7 days' / {m} FROM generate_series(1, {m}) n""",
    # (One record in 20 is of one person, who has far more than anybody else.)
    """INSERT INTO usage_usagerecord (user_id, bot, kind, model, model_answered, input_tokens, cached_input_tokens,
        output_tokens, cost_micros, price, turn_key, call_id, budget_micros, budget_day, created_at)
    SELECT {first_person} + CASE WHEN n % 20 = 0 THEN 0 ELSE n::bigint / 2 * 7919 % {p} END, CASE WHEN n % 4 = 0 THEN
        'bench' ELSE 'bench-' || (1 + n % 4) END, CASE WHEN n % 30 = 0 THEN 'transcription' ELSE 'completion' END,
        CASE WHEN n % 5 = 0 THEN 'gpt-6' ELSE 'gpt-6-luna' END, 'gpt-6-luna', 200 + n % 1800, n % 200, 20 + n % 300,
        CASE WHEN n % 100 = 0 THEN NULL ELSE 20 + n % 500 END, '{{"source": "genai-prices 0.0.55"}}', n, md5(n::text),
        20 + n % 500, (at AT TIME ZONE 'UTC')::date, at
    FROM (SELECT n, now() - ({m} - n) * interval '30 days' / {m} AS at FROM generate_series(1, {m}) n) AS numbered""",
    """INSERT INTO usage_dailyspend (user_id, bot, day, spent_micros, reserved_micros)
    SELECT user_id, COALESCE(bot, ''), budget_day, SUM(budget_micros), 0 FROM usage_usagerecord
    GROUP BY GROUPING SETS ((user_id, budget_day), (bot, budget_day), (budget_day)) ORDER BY budget_day""",
    """INSERT INTO bot_accessrequest (bot_id, address, profile_name, messages, first_seen_at, last_seen_at)
    SELECT {first_bot} + n % {bots}, '+49171' || (10000000 + n), 'Stranger ' || n, 1 + n % 5, now() - n * interval
        '10 minutes', now() - n * interval '5 minutes' FROM generate_series(1, {m} / 100) n""",
    """INSERT INTO users_invite (digest, person_id, note, max_uses, uses, expires_at, created_by_id, from_command,
        created_at)
    SELECT md5(n::text), CASE WHEN n % 2 = 0 THEN {first_person} + n % {p} END, 'Course ' || n, 10, n % 10, now() +
        (n % 20 - 10) * interval '1 day', {first_person}, FALSE, now() FROM generate_series(1, {m} / 100) n""",
    """INSERT INTO users_auditentry (at, action, subject, actor_id, via, details)
    SELECT now() - n * interval '2 minutes', CASE WHEN n % 9 = 0 THEN 'exported' ELSE 'read' END, {first_person} +
        n::bigint * 7919 % {p}, {first_person}, CASE WHEN n % 99 = 0 THEN 'command' ELSE 'admin' END, '{{}}'
    FROM generate_series({m} / 10, 1, -1) n""",
    """INSERT INTO django_admin_log (action_time, object_id, object_repr, action_flag, change_message, content_type_id,
        user_id)
    SELECT now() - n * interval '5 minutes', {first_person} + n % {p}, 'somebody', 2, '', (SELECT id FROM
        django_content_type WHERE app_label = 'users' AND model = 'user'), {first_person}
    FROM generate_series(1, {m} / 20) n""",
    """INSERT INTO django_session (session_key, session_data, expire_date)
    SELECT md5(n::text), '', now() + interval '1 day' FROM generate_series(1, {m} / 500) n""",
)  # fmt: skip


def fill(run: Callable[[str], Any], messages: int) -> None:
    """Store a month of that many messages in a database that has a bot. run executes a statement, returns its rows."""
    names = {"m": messages, "p": messages // 10, "bots": BOTS, "most_rare": MOST_RARE, "pending": PENDING}
    names["rare"] = min(RARE, messages // 20)
    for statement in STATEMENTS:
        names |= {
            "first_bot": first(run, "bot_bot"),
            "first_person": first(run, "users_user"),
            "first_conversation": first(run, "conversations_conversation"),
        }
        run(statement.format(**names))


def first(run: Callable[[str], Any], table: str) -> int:
    """Return the lowest id of a table, 0 for an empty one."""
    return int(run(f"SELECT COALESCE(MIN(id), 0) FROM {table}")[0][0])  # noqa: S608 (our own words)
