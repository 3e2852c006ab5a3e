"""First and last names, by where people live and which language they write."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Culture:
    """People with numbers of a country who write a language; weight: how many of a hundred there are."""

    country: str
    language: str
    weight: int
    first: tuple[str, ...]
    last: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CULTURES = (
    Culture(
        *("US", "en", 24),
        _words(
            "Ava Ethan Mia Noah Jasmine Marcus Emily Tyler Priya Kevin Hannah Darnell Grace Minh Olivia Jordan "
            "Naomi Caleb "
            "Aisha Brandon Chloe Desmond Keiko Lucas Simone Wesley Zoe Arjun Leah Victor"
        ),
        _words(
            "Johnson Nguyen Patel Williams Kim Brown Okafor Miller Davis Chen Robinson Cohen Walker Reyes "
            "Bennett Iyer Foster "
            "Haddad Coleman Tanaka Murphy Price Boateng Larsen Hughes Novak"
        ),
    ),
    Culture(
        *("US", "es", 20),
        _words(
            "Sofía Mateo Valentina Santiago Camila Diego Lucía Andrés Mariana Javier Ximena Carlos Daniela "
            "Rafael Elena "
            "Gabriel Isabel Joaquín Paola Emilio Renata Tomás Alejandra Hugo Pilar Ramón"
        ),
        _words(
            "García Hernández López Martínez Ramírez Torres Flores Castillo Morales Ortega Vargas Delgado Ríos "
            "Navarro Fuentes "
            "Campos Aguilar Medina Salazar Herrera Peña Cárdenas Ibáñez Quintero"
        ),
    ),
    Culture(
        *("GB", "en", 18),
        _words(
            "Oliver Amelia Harry Isla George Freya Imran Poppy Rhys Zara Callum Esme Kwame Florence Jack Ayesha "
            "Alfie Niamh "
            "Dev Beatrice Hamish Yasmin Toby Rosalind"
        ),
        _words(
            "Smith Jones Taylor Khan Davies Evans Wright Begum Campbell Mensah Clarke Hussain Ward Stewart Shah Baker "
            "Morgan Bailey Fraser Kaur Holloway Adeyemi"
        ),
    ),
    Culture(
        *("DE", "de", 28),
        _words(
            "Anna Lukas Mehmet Lena Jonas Leyla Felix Marie Emre Clara Paul Katarzyna Maximilian Johanna Tim "
            "Svetlana Ole "
            "Franziska Yusuf Greta Moritz Nele Bastian Ilse Matthias Birgit Duc Käthe"
        ),
        _words(
            "Müller Schmidt Yılmaz Schneider Fischer Kowalski Weber Wagner Demir Becker Hoffmann Schäfer Koch "
            "Petrov Bauer "
            "Richter Klein Nowak Schröder Neumann Aydın Krüger Lange Jansen Voß Tran"
        ),
    ),
    Culture(
        *("IE", "en", 7),
        _words("Aoife Conor Saoirse Cian Ciara Declan Róisín Oisín Maeve Tadhg Agnieszka Eoin Gráinne Fionn"),
        _words("Murphy Kelly Walsh Byrne Ryan Doyle Gallagher Nolan Kavanagh Zielińska Brennan Quinn Healy"),
    ),
    Culture(
        *("SE", "en", 3),
        _words("Elsa Axel Astrid Nils Freja Björn Linnea Samir Maja Erik Saga Oskar"),
        _words("Andersson Johansson Lindqvist Nilsson Ahmadi Bergström Holm Söderberg Åkesson Ekman"),
    ),
)
