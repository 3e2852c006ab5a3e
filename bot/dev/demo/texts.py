"""What people ask the three bots and are answered, in three languages, with gaps that are filled in."""

import random

from bot.dev.demo.dialogues import DIALOGUES

GREETINGS = {
    "en": ("", "", "", "Hi! ", "Hello! ", "Hey, quick question: ", "Good morning! "),
    "de": ("", "", "", "Hallo! ", "Guten Tag! ", "Moin! ", "Kurze Frage: "),
    "es": ("", "", "", "¡Hola! ", "¡Buenas! ", "Buenos días. ", "Una pregunta: "),
}
# How answers end, so that not every answer to a question is the same.
CLOSINGS = {
    "en": ("", "", " Does that help?", " Just write if not.", " 🙂", " Let me know how it goes.", " Happy to help."),
    "de": ("", "", " Hilft das?", " Sonst einfach schreiben.", " 🙂", " Sagen Sie gern Bescheid.", " Gern geschehen."),
    "es": ("", "", " ¿Le sirve?", " Si no, escríbame.", " 🙂", " Cuénteme qué tal.", " Con mucho gusto."),
}
# What follows a question as a message of its own.
AFTERTHOUGHTS = {
    "en": ("No hurry.", "It's for the weekend.", "Thanks in advance!", "Sorry, one more thing: I'm on the road."),
    "de": ("Eilt nicht.", "Ist fürs Wochenende.", "Danke schon mal!", "Ach so, ich bin gerade unterwegs."),
    "es": ("No hay prisa.", "Es para el fin de semana.", "¡Gracias de antemano!", "Perdón, estoy de camino."),
}
ITEMS = {
    "en": ("rain jacket", "touring bike", "helmet", "pannier", "tent for two", "head torch", "pair of hiking boots"),
    "de": ("Regenjacke", "Packtasche", "Stirnlampe", "Isomatte", "Fahrradpumpe", "Trinkflasche", "Windjacke"),
    "es": ("chaqueta", "linterna", "mochila", "tienda de campaña", "bomba de aire", "alforja", "cantimplora"),
}
DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"),
    "es": ("el lunes", "el martes", "el miércoles", "el jueves", "el viernes"),
}


def dialogue(rng: random.Random, bot: str, language: str) -> tuple[str, str]:
    """Return a question and its answer."""
    question, answer = rng.choice(DIALOGUES[bot, language])
    gaps = {
        "order": rng.randrange(10_000, 99_999),
        "item": rng.choice(ITEMS[language]),
        "day": rng.choice(DAYS[language]),
        "amount": rng.randrange(19, 65),
        "few": rng.randrange(2, 7),
    }
    return f"{rng.choice(GREETINGS[language])}{question.format(**gaps)}", answer.format(**gaps) + rng.choice(
        CLOSINGS[language]
    )
