"""Questions and answers by bot and language. {order}, {item}, {day}, {amount} and {few} are filled in."""

DIALOGUES: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("shop", "en"): (
        ("Where is my order {order}?", "Order {order} left our warehouse yesterday. It should reach you on {day}."),
        ("Do you have the {item} in size M?", "Yes, we have {few} of them in M. Shall I put one aside until {day}?"),
        (
            "Can I return the {item}? It does not fit.",
            "Of course. Send it back within 30 days, unworn and with its label.",
        ),
        ("What does a {item} cost?", "The {item} is ${amount} at the moment, and delivery is free from $50."),
        ("Are you open on {day}?", "On {day} we are open from 10 am to 7 pm. The workshop closes an hour earlier."),
        ("Could I change the address of order {order}?", "That is still possible. Which address should it go to?"),
    ),
    ("shop", "de"): (
        (
            "Wo ist meine Bestellung {order}?",
            "Die Bestellung {order} ist gestern verschickt worden und kommt am {day} an.",
        ),
        (
            "Gibt es die {item} auch in Blau?",
            "Ja, in Blau haben wir noch {few} Stück. Soll ich eine bis {day} zurücklegen?",
        ),
        (
            "Ich möchte die {item} zurückgeben.",
            "Gern: innerhalb von 30 Tagen, unbenutzt. Ein Rückgabeschein liegt im Paket.",
        ),
        ("Was kostet die {item}?", "Die {item} kostet zurzeit {amount} Euro; ab 50 Euro ist der Versand kostenlos."),
        ("Habt ihr am {day} offen?", "Am {day} sind wir von 10 bis 19 Uhr da, die Werkstatt bis 18 Uhr."),
        (
            "Kann ich {order} noch stornieren?",
            "Ja, {order} ist noch nicht gepackt. Soll ich die Bestellung stornieren?",
        ),
    ),
    ("shop", "es"): (
        ("¿Dónde está mi pedido {order}?", "El pedido {order} salió ayer del almacén y llegará {day}."),
        ("¿Tienen la {item} en rojo?", "Sí, en rojo nos quedan {few}. ¿Le guardo una hasta que venga {day}?"),
        ("Quiero devolver la {item}.", "Sin problema: tiene 30 días, sin usar y con la etiqueta puesta."),
        ("¿Cuánto cuesta la {item}?", "La {item} cuesta {amount} dólares, y el envío es gratis desde 50."),
        ("¿Abren {day}?", "Sí, abrimos de 10 a 19 h. El taller cierra una hora antes."),
    ),
    ("support", "en"): (
        (
            "My internet has been slow since {day}.",
            "Sorry to hear that. Is it slow with a cable as well, or only on Wi-Fi?",
        ),
        (
            "The router blinks red.",
            "That means it has no line. Please unplug it for 30 seconds; it needs {few} minutes to start.",
        ),
        (
            "Why is my bill ${amount} this month?",
            "It has the fee for your new router, once. From next month it is the usual one.",
        ),
        (
            "How do I change the Wi-Fi password?",
            "Open the router's page, choose Wi-Fi, then Security, and enter a new one there.",
        ),
        (
            "When does my contract end?",
            "It runs for {few} more months and can be ended a month before. Shall I note that?",
        ),
        ("Is there an outage in my street?", "I see none reported. A technician could come on {day} between 8 and 12."),
    ),
    ("support", "de"): (
        (
            "Das Internet ist seit {day} so langsam.",
            "Das tut mir leid. Ist es mit Kabel auch langsam, oder nur im WLAN?",
        ),
        (
            "Der Router blinkt rot.",
            "Dann hat er keine Leitung. Bitte 30 Sekunden vom Strom nehmen; er braucht {few} Minuten.",
        ),
        (
            "Warum ist die Rechnung {amount} Euro?",
            "Einmalig kommt der neue Router dazu. Ab nächstem Monat ist es wie gewohnt.",
        ),
        (
            "Wie ändere ich das WLAN-Passwort?",
            "Auf der Seite des Routers unter WLAN, Sicherheit: dort ein neues eingeben.",
        ),
        ("Wann läuft mein Vertrag aus?", "In {few} Monaten, kündbar einen Monat vorher. Soll ich das vormerken?"),
        (
            "Gibt es eine Störung bei uns?",
            "Mir ist keine gemeldet. Am {day} könnte zwischen 8 und 12 Uhr jemand kommen.",
        ),
    ),
    ("support", "es"): (
        ("El internet va lento desde {day}.", "Lo siento. ¿También va lento con cable, o solo con el wifi?"),
        (
            "El router parpadea en rojo.",
            "Eso es que no tiene línea. Desconéctelo 30 segundos; tarda {few} minutos en arrancar.",
        ),
        (
            "¿Por qué la factura es de {amount}?",
            "Incluye el router nuevo, una sola vez. El mes que viene será la de siempre.",
        ),
        (
            "¿Cómo cambio la clave del wifi?",
            "En la página del router, en Wifi y luego Seguridad, puede poner una nueva.",
        ),
        ("¿Cuándo termina mi contrato?", "Le quedan {few} meses, y puede cancelarlo un mes antes. ¿Lo anoto?"),
    ),
    ("kitchen", "en"): (
        (
            "What can I make with eggs, rice and spinach?",
            "Fried rice: {few} eggs, a cup of cold rice, the spinach last. Ten minutes.",
        ),
        ("How long do I boil potatoes?", "Small ones 15 minutes, large ones 25. They are done when a knife slides in."),
        ("I have no buttermilk. What now?", "A cup of milk with a spoon of lemon juice; leave it for {few} minutes."),
        (
            "Dinner for {few}, vegetarian, half an hour?",
            "Chickpea curry: onion, garlic, curry paste, tomatoes, chickpeas, 20 minutes.",
        ),
        ("Can I freeze lasagne?", "Yes, baked and cooled, for {few} months. Thaw it overnight before you heat it."),
        (
            "Something sweet without nuts, please.",
            "Baked apples: core them, fill with oats, butter and honey, {amount} minutes at 180 °C.",
        ),
    ),
    ("kitchen", "de"): (
        (
            "Was mache ich aus Eiern, Reis und Spinat?",
            "Gebratenen Reis: {few} Eier, kalter Reis, zuletzt der Spinat. Zehn Minuten.",
        ),
        ("Wie lange kochen Kartoffeln?", "Kleine 15, große 25 Minuten: bis ein Messer leicht hineingeht."),
        ("Ich habe keine Hefe. Was geht statt dessen?", "Ein Päckchen Backpulver, und der Teig muss dann nicht gehen."),
        (
            "Abendessen für {few}, vegetarisch, schnell?",
            "Kichererbsen-Curry: Zwiebel, Currypaste, Tomaten, Kichererbsen, 20 Minuten.",
        ),
        ("Kann man Lasagne einfrieren?", "Ja, gebacken und abgekühlt, {few} Monate lang. Über Nacht auftauen lassen."),
        ("Etwas Süßes ohne Nüsse?", "Bratäpfel mit Haferflocken, Butter und Honig, {amount} Minuten bei 180 °C."),
    ),
    ("kitchen", "es"): (
        (
            "¿Qué hago con huevos, arroz y espinacas?",
            "Arroz salteado: {few} huevos, el arroz frío y al final las espinacas. Diez minutos.",
        ),
        ("¿Cuánto se cuecen las patatas?", "Las pequeñas 15 minutos y las grandes 25, hasta que entre un cuchillo."),
        (
            "Cena para {few}, sin carne y rápida.",
            "Curry de garbanzos: cebolla, pasta de curry, tomate y garbanzos, 20 minutos.",
        ),
        ("¿Se puede congelar la lasaña?", "Sí, horneada y fría, {few} meses. Descongélela durante la noche."),
        (
            "Algo dulce sin frutos secos, por favor.",
            "Manzanas asadas con avena, mantequilla y miel, {amount} minutos a 180 °C.",
        ),
    ),
}
