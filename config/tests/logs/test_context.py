"""What a block binds is on each of its lines, and on none after."""

import json
import logging
import logging.config
import threading

import pytest

from config.logs.lines import bind, bound_ids


def test_bound_ids_are_on_every_line_of_the_block_and_on_none_after(configure):
    lines = configure()
    logger = logging.getLogger("some.app")
    with bind(turn_id=5, bot="sales"):
        with bind(worker="w1"):
            logger.info("inner")
        logger.info("own_wins", extra={"bot": "support"})
    logger.info("after")
    inner, own, after = (json.loads(line) for line in lines())
    assert (inner["turn_id"], inner["bot"], inner["worker"]) == (5, "sales", "w1")
    assert (own["turn_id"], own["bot"]) == (5, "support")
    assert "worker" not in own
    assert "turn_id" not in after


def test_bound_ids_end_with_the_block_even_when_it_fails():
    with pytest.raises(RuntimeError), bind(turn_id=5):
        raise RuntimeError
    assert bound_ids() == {}


def test_bound_ids_stay_in_their_own_thread():
    seen = []
    with bind(turn_id=5):
        thread = threading.Thread(target=lambda: seen.append(bound_ids()))
        thread.start()
        thread.join()
    assert seen == [{}]
