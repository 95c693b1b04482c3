"""The titles, names and sentences that demo customers choose from."""

from __future__ import annotations

import itertools

_FIRST = (
    "silent midnight golden broken distant crimson hidden paper electric winter lonely burning "
    "velvet forgotten northern wandering hollow painted restless second borrowed last quiet iron "
    "glass scarlet stolen endless summer crooked"
).split()
_SECOND = (
    "harbor river garden orchestra stranger letter island station horizon mirror country season "
    "lighthouse promise circus witness carnival railway kingdom avenue detective shadow piano "
    "voyage winter captain daughter machine parade harvest"
).split()
TITLES = tuple(
    f"{first}-{second}-{1931 + (7 * i) % 79}"
    for i, (first, second) in enumerate(itertools.product(_FIRST, _SECOND))
    if first != second
)
UPCOMING = tuple(f"{second}-{first}-2012" for first in _FIRST for second in _SECOND)

GIVEN = (
    "Ada Björn Chiara Dmitri Elif Fatima Grace Hiroshi Inês José Kwame Léa María Nils Olga Priya "
    "Quinn Renée Søren Tomás Ursula Véronique Wei Ximena Yusuf Zoë"
).split()
FAMILY = (
    "Andersson Bianchi Çelik Dubois Eriksen Fernández Großmann Haddad Ivanova Jones Kowalski Łuczak "
    "Müller Nguyen O'Brien Papadopoulos Quispe Rossi Sato Tremblay Ueda Vargas Weiß Xu Yılmaz Zhang"
).split()

LIST_NAMES = ("kids", "date night", "für später", "週末")
NOTES = (
    "from Ana",
    "before the exam!",
    "with subtitles",
    "für Oma",
    "recommended by José",
    "再看一次",
)

SENTENCES = (
    "Watched it twice in one weekend, and would again.",
    "Une merveille, du début à la fin : la scène du café est inoubliable.",
    "Der Schluß hat mich überrascht – ganz großes Kino!",
    "La fotografía es preciosa, aunque el ritmo es lento.",
    "最後の十分間で全部が変わる。もう一度見たい。",
    "Фильм, который хочется пересмотреть с друзьями.",
    "فيلم رائع، أنصح به الجميع.",
    "The ending 😭😭 but in a good way 👍🏽",
    "My father took me to see this in 1974. It has lost nothing since.",
    'She says "stay", he says <nothing> & leaves; best five minutes of the year.',
    "Świetna muzyka, trochę za długi środek.",
    "Not for children under 12; mine loved it anyway 👨\N{ZERO WIDTH JOINER}👩\N{ZERO WIDTH JOINER}👧.",
)
PLAYLISTS = (
    "Rainy Sunday",
    "Für Regentage",
    "Noche de cine",
    "秋の夜長",
    "🎃 Halloween",
    "Best of 1968",
)
