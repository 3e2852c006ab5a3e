"""The peers' table: a webhook's message, recognised by a unique index."""

CREATE = {
    "postgresql": """
        CREATE TABLE peer_inbound (
            id bigserial PRIMARY KEY, bot_id bigint NOT NULL, external_id varchar(255) NOT NULL,
            address varchar(255) NOT NULL, payload jsonb NOT NULL, received_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (bot_id, external_id)
        )""",
    "sqlite": """
        CREATE TABLE peer_inbound (
            id integer PRIMARY KEY AUTOINCREMENT, bot_id integer NOT NULL, external_id varchar(255) NOT NULL,
            address varchar(255) NOT NULL, payload text NOT NULL, received_at text NOT NULL DEFAULT CURRENT_TIMESTAMP,
            UNIQUE (bot_id, external_id)
        )""",
}
TABLE = "peer_inbound"
