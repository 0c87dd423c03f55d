"""The words the histories are made of: an invented harbour town and its readers, in ten languages.

`{n}` becomes a number in the language's own digits, `{place}` an invented place.
"""

SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "The lantern boats leave the harbour at dusk, {n} of them this year.",
        "Has anybody seen the new timetable for {place}?",
        "I finally finished the book, all {n} pages of it.",
        "Rain again. The market at {place} moves indoors.",
        "Thanks everyone, that was the best evening in a long while.",
        "Bring a torch and something warm, the path to {place} is dark.",
        "We counted {n} swifts above the old mill this morning!",
        "No hurry, tomorrow is fine too.",
        "The bakery has cardamom buns until they run out, so about nine o'clock.",
        "Who wants to take the second shift at the library?",
        "That explains a lot, actually.",
        "Photos from the regatta are coming tonight, I promise.",
        "It took {n} tries, but the clock in the tower strikes again.",
        "Could you send me the recipe? My neighbour keeps asking.",
        "The ferry to {place} is twenty minutes late, take your time.",
        "I would rather walk, honestly.",
    ),
    "ru": (
        "В порту зажгли фонари, их в этом году {n}.",
        "Кто-нибудь едет в {place} на выходных?",
        "Дочитал наконец книгу, все {n} страниц.",
        "Опять дождь, но кофе сегодня отличный.",
        "Спасибо всем, вечер удался!",
        "Возьмите фонарик, дорога в {place} тёмная.",
        "Насчитали {n} стрижей над старой мельницей.",
        "Не спешите, завтра тоже можно.",
        "Это многое объясняет, кстати.",
        "Часы на башне снова бьют, починили с {n}-й попытки.",
        "А можно рецепт? Соседка третий раз спрашивает.",
        "Я бы лучше прогулялся пешком.",
    ),
    "de": (
        "Die Laternenboote legen bei Dämmerung ab, {n} in diesem Jahr.",
        "Weiß jemand, wann der Bus nach {place} fährt?",
        "Endlich ausgelesen, alle {n} Seiten.",
        "Schon wieder Regen, aber der Kuchen war köstlich.",
        "Danke euch allen, das war ein schöner Abend!",
        "Größe XL ist leider ausverkauft, nächste Woche wieder.",
        "Kein Stress, übermorgen reicht völlig.",
        "Die Turmuhr schlägt wieder, nach {n} Versuchen.",
        "Nimm eine Taschenlampe mit, der Weg nach {place} ist dunkel.",
    ),
    "es": (
        "Los barcos de faroles salen al anochecer, este año son {n}.",
        "¿Alguien va a {place} el sábado?",
        "¡Por fin terminé el libro, {n} páginas!",
        "Otra vez lluvia; mañana seguro que sale el sol.",
        "Gracias a todos, fue una noche preciosa.",
        "El señor Ibáñez arregló el reloj de la torre a la {n}.ª vez.",
        "Sin prisa, mañana también vale.",
        "¿Me pasas la receta? La vecina no deja de preguntar.",
    ),
    "ar": (
        "تنطلق قوارب الفوانيس عند الغروب، وعددها هذا العام {n}.",
        "هل يعرف أحد موعد الحافلة إلى {place}؟",
        "شكراً للجميع، كانت أمسية رائعة!",
        "المطر من جديد، لكن القهوة ممتازة.",
        "أنهيت الكتاب أخيراً، {n} صفحة.",
        "لا داعي للعجلة، غداً أفضل.",
    ),
    "fa": (
        "قایق‌های فانوسی هنگام غروب راه می‌افتند، امسال {n} تا.",
        "کسی می‌داند اتوبوس {place} کی می‌رسد؟",
        "بالاخره کتاب را تمام کردم، {n} صفحه بود.",
        "ممنون از همه، شب خیلی خوبی بود!",
        "باز هم باران می‌بارد، اما چای داغ است.",
        "عجله‌ای نیست، فردا هم می‌شود.",
    ),
    "he": (
        "סירות הפנסים יוצאות עם השקיעה, השנה {n}.",
        "מישהו נוסע ל{place} בשבת?",
        "סוף סוף סיימתי את הספר, {n} עמודים.",
        "תודה לכולם, היה ערב נפלא!",
        "שוב גשם, אבל הקפה מצוין.",
        "אין לחץ, גם מחר בסדר.",
    ),
    "hi": (
        "शाम होते ही लालटेन वाली नावें निकलेंगी, इस साल {n}।",
        "क्या किसी को {place} की बस का समय पता है?",
        "आख़िरकार किताब पूरी हुई, {n} पन्ने।",
        "सबका धन्यवाद, बहुत अच्छी शाम थी!",
        "फिर बारिश, पर चाय बढ़िया है।",
        "कोई जल्दी नहीं, कल भी ठीक है।",
    ),
    "zh": (
        "灯船黄昏出港，今年一共{n}艘。",
        "有人知道去{place}的末班车几点吗？",
        "终于读完了，整整{n}页。",
        "谢谢大家，今晚太开心了！",
        "又下雨了，不过面包很香。",
        "不急，明天也可以。",
    ),
    "ja": (
        "灯籠船は夕暮れに出ます。今年は{n}隻です。",
        "{place}行きのバス、何時か分かる人いますか？",
        "やっと読み終わりました、{n}ページ！",
        "皆さん、ありがとうございました。楽しかったです。",
        "また雨ですね。でもコーヒーはおいしい。",
        "急がなくていいですよ、明日でも大丈夫。",
    ),
}
HEADLINES = (
    "Harbour lights return after the storm",
    "Library opens its night reading room",
    "Swift count reaches {n} at the old mill",
    "New footbridge to {place} opens on Friday",
    "Tower clock strikes again after {n} silent days",
    "Bakers of {place} share their oldest recipe",
    "Зимний базар переезжает в {place}",
    "Regatta results: {n} boats, one surprise",
    "Ferry timetable changes for the season",
    "Schule am Hafen feiert {n} Jahre",
)
PLACES = (
    "Fernweir",
    "Lampholm",
    "Oskarra",
    "Tidewell",
    "Mirabrück",
    "Valdefaro",
    "Sövik",
    "Нордмыс",
)
DIGITS = {
    "ar": str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"),
    "fa": str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"),
    "hi": str.maketrans("0123456789", "०१२३४५६७८९"),
}
EMOJI = (
    "🙂", "😂", "❤️", "🔥", "👍🏽", "🙏🏿", "👏🏻", "🎉", "☕️", "🌧",
    "👨‍👩‍👧‍👦", "👩🏾‍💻", "🏳️‍🌈", "🧑🏼‍🤝‍🧑🏿", "🇯🇵", "🤷🏽‍♀️", "⛵️", "🏮",
)  # fmt: skip
CUSTOM_EMOJI = ("🏮", "⛵️", "😺", "🫖", "📚", "🌊", "🔔", "🥐")
TAGS = ("#harbour", "#library", "#swifts", "#порт", "#reise", "#tidewell_news", "#市場")
HANDLES = ("@tidewell_bot", "@lampholm_library", "@oskarra_ferry", "@mill_watch")
INLINE_BOTS = ("@gif", "@lantern_poll_bot", "@oskarra_map_bot")
LINKS = (
    "https://lantern.example/harbour/{n}",
    "https://library.example/reading?room={n}&lang=en",
    "https://mill.example/swifts/{n}#today",
    "https://ferry.example/таблица/{n}",
)
LINK_WORDS = ("Read on", "the full list", "подробнее", "Karte", "map of the walk")
CODES = ("swifts --count {n}", "lamp.on()", "SELECT count(*) FROM boats", "ls -la")
LISTINGS = (
    ("python", "for boat in harbour:\n    boat.light(lantern)\nprint({n})"),
    ("sql", "SELECT place, count(*)\nFROM swifts\nGROUP BY place\nHAVING count(*) > {n};"),
    ("", "Mon  07:10  Lampholm\nTue  08:{n}  Oskarra"),
)
POLLS = (
    (
        "When shall we meet at the mill?",
        ("Friday evening", "Saturday morning", "Sunday", "Never ☔️"),
    ),
    ("Какой хлеб печём в субботу?", ("Ржаной", "С кардамоном", "Оба")),
    ("Which route for the lantern walk?", ("Harbour", "Old mill", "Library garden")),
    ("Welches Buch lesen wir als Nächstes?", ("Das Gezeitenbuch", "Nachtfähre", "Etwas Kürzeres")),
)
TOPICS = ("Swift watch", "Рецепты", "Ferry and bus", "読書会", "Lost and found")
TITLES = ("{title}", "{title} 🏮", "{title} & friends")
CHANNELS = ((1_500_000_101, "Oskarra Ferry"), (1_500_000_102, "Мельница и стрижи"))
FIRST_NAMES = (
    "Alma", "Бронислав", "Cosima", "Dariush", "Elowen", "Фёкла", "Gunnar", "Hanae", "Ilse",
    "Jamila", "Kestrel", "Lior", "Mirela", "Narek", "Octavia", "Pramod", "Quirin", "Rosalía",
    "Soraya", "Тихон", "Umar", "Vesna", "Wren", "小雨", "Yael", "Zoltan",
)  # fmt: skip
LAST_NAMES = (
    "Lampwright", "Tidewell", "Fährmann", "de la Linterna", "Millbrook", "Ostrava", "Regenpfeifer",
    "Quillfeather", "Marrow", "Haverlight", "",
)  # fmt: skip
CYRILLIC_LAST_NAMES = ("Стрижаченко", "Фонарщик", "Мельниченко")
SIGNATURES = ("Alma L.", "Редакция", "Night desk")
STICKERS = ("🏮", "😺", "👋", "😴", "🥐")
FILES = (
    ("timetable", "pdf", "application/pdf"),
    ("расписание", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("harbour-map", "png", "image/png"),
    ("swift-counts", "csv", "text/csv"),
)
SONGS = (("The Lampholm Trio", "Low Tide Waltz"), ("Хор мельников", "Стрижи"))
