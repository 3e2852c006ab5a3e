"""Expired conversations among others that are remembered, as rows: written by the database itself."""

from benchmarks.databases import POSTGRESQL, Database

MESSAGES_EACH = 10
# One conversation in so many is still remembered, and has to survive.
LIVE_SHARE = 6

# n is the row's number. A question and its answer stand together; conversations are mixed as people's are.
PEOPLE = """
    INSERT INTO users_user (password, is_superuser, phone_number, name, role, is_whitelisted, is_staff, created_at,
        updated_at)
    SELECT '!', {false}, '+49161' || (10000000 + n), '', 'user', {true}, {false}, {now}, {now} FROM {numbers}
"""
CONVERSATIONS = """
    INSERT INTO conversations_conversation (user_id, bot, created_at, expires_at)
    SELECT {first_person} + n, 'bench', {past}, CASE WHEN n % {live} = 0 THEN {future} ELSE {past} END FROM {numbers}
"""
MESSAGES = """
    INSERT INTO conversations_message (conversation_id, role, content, created_at)
    SELECT {first_conversation} + (n / 2 * 7919) % {conversations}, CASE n % 2 WHEN 0 THEN 'user' ELSE 'assistant' END,
        CASE n % 2 WHEN 0 THEN '{question}' ELSE '{answer}' END, {past} FROM {numbers}
"""
QUESTION = "Could you tell me when you are open on Saturday? I would like to come by."
ANSWER = "We are open from nine to six on Saturdays. " * 6


def fill(database: Database, expired: int) -> int:
    """Store at least so many expired messages, ten a conversation, and a fifth as many others; return the expired."""
    conversations = -(-expired // MESSAGES_EACH // (LIVE_SHARE - 1)) * LIVE_SHARE
    on_postgres = database.kind == POSTGRESQL
    names = {
        "live": LIVE_SHARE, "conversations": conversations, "question": QUESTION, "answer": ANSWER,
        "true": "TRUE", "false": "FALSE", "now": "now()", "past": "now() - interval '9 days'",
        "future": "now() + interval '5 days'",
    }  # fmt: skip
    if not on_postgres:
        names |= {
            "now": "datetime('now')",
            "past": "datetime('now', '-9 days')",
            "future": "datetime('now', '+5 days')",
        }
    database.run(PEOPLE.format(**names, numbers=numbers(on_postgres, conversations)))
    names["first_person"] = database.run("SELECT MIN(id) FROM users_user WHERE phone_number LIKE '+49161%'")[0][0]
    database.run(CONVERSATIONS.format(**names, numbers=numbers(on_postgres, conversations)))
    names["first_conversation"] = database.run("SELECT MIN(id) FROM conversations_conversation")[0][0]
    database.run(MESSAGES.format(**names, numbers=numbers(on_postgres, conversations * MESSAGES_EACH)))
    # What autovacuum would do within minutes.
    database.run("VACUUM ANALYZE" if on_postgres else "ANALYZE")
    return conversations // LIVE_SHARE * (LIVE_SHARE - 1) * MESSAGES_EACH


def numbers(on_postgres: bool, count: int) -> str:
    """Return the SQL for a table of the numbers from 0."""
    if on_postgres:
        return f"generate_series(0::bigint, {count - 1}) AS numbers(n)"
    # (A number of ours.)
    return (
        f"(WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers LIMIT {count}) "  # noqa: S608
        "SELECT n FROM numbers)"
    )
