# ruff: noqa: RUF001 - names are written in their own scripts
"""Names of people, from many cultures, as a school system really holds them.

Accents, apostrophes, hyphens, several words, right-to-left and non-Latin scripts, and single
names without a family name. Given and family names are drawn from one tradition at a time.
"""

import random
from collections.abc import Sequence

_TEXT = """
Ana, João, Maria Luíza, Antônio, Beatriz, Caetano, Débora, Flávio, Thaís, Vinícius
: da Silva, Conceição, Gonçalves, Araújo, dos Santos, Magalhães, Brandão
Aoife, Seán, Ciarán, Niamh, Erin, Declan, Róisín, Conor
: O'Brien, O'Neill, Ní Dhomhnaill, MacCarthy, Byrne, D'Arcy
Yuki, Haruto, Sakura, Kenji, Aiko, Ren, Naomi, Hana
: Tanaka, Suzuki, Kobayashi, Nakamura, Itō, Fujimoto
Linh, Minh, Anh, Phúc, Hương, Tuấn
: Nguyễn, Trần, Phạm, Đặng, Võ
Zeynep, Çağla, Ömer, Emre, Işıl, Burak, Gül
: Yılmaz, Öztürk, Şahin, Güneş, Çelik
Agnieszka, Łukasz, Zofia, Stanisław, Błażej, Małgorzata
: Wiśniewska, Dąbrowski, Wójcik, Żak, Kowalczyk
Amina, Fatou, Kwame, Chinedu, Adaeze, Moussa, Ngozi, Sibusiso
: N'Diaye, Okonkwo, Mensah, Diop, Abubakar, Nkosi
Priya, Arjun, Lakshmi, Rohan, Anjali, Vikram, Meera
: Krishnamurthy, Patel, Iyer, Singh, Chatterjee, Deshpande
Sofía, Mateo, Ximena, José, Lucía, Ángel, Inés, Íñigo
: García-López, Ibáñez, Peña, de la Cruz, Muñoz, Fernández
Astrid, Søren, Åsa, Jürgen, Björn, Freyja, Käthe
: Müller, Ångström, Sørensen, Weiß, Jónsdóttir, Lindqvist
Kauê, Jaciara, Ubirajara, Moacir, Potira
: Guarani, Tukano, Munduruku, Krenak, Terena
محمد, فاطمة, يوسف, مريم, ليلى
: الخطيب, حداد, النجار, منصور
נועה, איתן, תמר, אורי
: כהן, לוי, בן־דוד
Олена, Дмитро, Ксенія, Тарас
: Шевченко, Ковальчук, Бондаренко
王芳, 李明, 陈静, 张伟
:
Suharto, Wulan, Tenzin, Ketut, Björk
:
"""


def _traditions(text: str) -> Sequence[tuple[Sequence[str], Sequence[str]]]:
    lines = text.strip().splitlines()
    return [
        (given.split(", "), family.removeprefix(":").strip().split(", "))
        for given, family in zip(lines[::2], lines[1::2], strict=True)
    ]


_TRADITIONS = _traditions(_TEXT)


def draw_name(rng: random.Random) -> tuple[str, str]:
    """Draw a given and a family name; the family name may be empty."""
    given, family = rng.choice(_TRADITIONS)
    return rng.choice(given), rng.choice(family)
