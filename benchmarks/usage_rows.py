"""A year of usage as rows: written by the database itself, in the order in which they would have come."""

from benchmarks.databases import POSTGRESQL, Database

# One record in so many is of one person, who has far more than anybody else; and one in so many has no price.
HEAVY_SHARE = 20
UNPRICED_SHARE = 100
# As wide as a real one: it is most of a row.
PRICE = (
    '{"source": "genai-prices 0.0.55", "provider": "openai", "model": "gpt-6-luna", '
    '"input_micros_per_million": 200000, "cached_input_micros_per_million": 20000, "output_micros_per_million": 500000}'
)
SECONDS_A_DAY = 86_400

# n is the record's number; everything else follows from it.
RECORDS = """
    INSERT INTO usage_usagerecord (user_id, bot, kind, model, model_answered, input_tokens, cached_input_tokens,
        output_tokens, cost_micros, price, call_id, budget_micros, budget_day, created_at)
    SELECT user_id, bot, 'completion', model, model, tokens, tokens / 3, answer,
        CASE WHEN n % {unpriced} = 0 THEN NULL ELSE (tokens * 2 + answer * 5) / 10 END, '{price}', {call_id},
        (tokens * 2 + answer * 5) / 10, {day}, {moment}
    FROM (
        SELECT n, {first_person} + CASE WHEN n % {heavy} = 0 THEN 0 ELSE (n * 7919) % {people} END AS user_id,
            CASE WHEN n % 4 = 0 THEN 'desk' ELSE 'bench' END AS bot,
            CASE WHEN n % 5 = 0 THEN 'gpt-6' WHEN n % 7 = 0 THEN 'house-model' ELSE 'gpt-6-luna' END AS model,
            200 + (n * 31) % 1800 AS tokens, 20 + (n * 17) % 300 AS answer, {began} + n * {step} AS epoch
        FROM {numbers}
    ) AS numbered
"""
SPENDS = """
    INSERT INTO usage_dailyspend (user_id, bot, day, spent_micros, reserved_micros)
    SELECT {owner}, {bot}, budget_day, SUM(budget_micros), 0 FROM usage_usagerecord GROUP BY {groups}
"""
OWNERS = (("user_id", "''", "user_id, budget_day"), ("NULL", "bot", "bot, budget_day"), ("NULL", "''", "budget_day"))


def fill(database: Database, records: int, people: int, days: int, now: float) -> None:
    """Store so many records of the days that end now, of the people that are there, and what each day has cost."""
    step = days * SECONDS_A_DAY // records
    names = {
        "unpriced": UNPRICED_SHARE,
        "heavy": HEAVY_SHARE,
        "price": PRICE,
        "first_person": database.run("SELECT MIN(id) FROM users_user")[0][0],
        "people": people,
        "began": int(now) - records * step,
        "step": step,
    }
    if database.kind == POSTGRESQL:
        names |= {
            "call_id": "md5(n::text)",
            "moment": "to_timestamp(epoch)",
            "day": "(to_timestamp(epoch) AT TIME ZONE 'UTC')::date",
            "numbers": f"generate_series(0, {records - 1}) AS numbers(n)",
        }
    else:
        names |= {
            "call_id": "lower(hex(randomblob(16)))",
            "moment": "datetime(epoch, 'unixepoch')",
            "day": "date(epoch, 'unixepoch')",
            # (A number of ours.)
            "numbers": (
                f"(WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers LIMIT {records}) "  # noqa: S608
                "SELECT n FROM numbers)"
            ),
        }
    statement = RECORDS.format(**names)
    database.run(statement.replace("n *", "n::bigint *") if database.kind == POSTGRESQL else statement)
    for owner, bot, groups in OWNERS:
        database.run(SPENDS.format(owner=owner, bot=bot, groups=groups))
    # What autovacuum would do within minutes; SQLite plans well enough by the shape of its indexes, and better so.
    database.run("VACUUM ANALYZE" if database.kind == POSTGRESQL else "ANALYZE")
