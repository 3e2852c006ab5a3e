"""The desk's report on usage: a period, narrowed step by step to a day, person, bot, model, and the records behind."""
