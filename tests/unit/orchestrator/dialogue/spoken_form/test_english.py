from __future__ import annotations

import pytest

from orchestrator.dialogue.spoken_form import spoken

TIMES = [
    ("Tuesday, May 3rd at 2:30 pm.", "Tuesday, May third at two thirty p.m."),
    ("See you at 14:30.", "See you at two thirty p.m."),
    ("We open at 9:00 and close at 17:30.", "We open at nine o'clock and close at five thirty p.m."),
    ("The doctor is free at 9:05.", "The doctor is free at nine oh five."),
    ("At 7 a.m. or 8 PM?", "At seven a.m. or eight p.m.?"),
    ("At 0:15.", "At twelve fifteen a.m."),
    ("Mon-Fri 9-5, Sat 9am-1pm.", "Monday to Friday nine to five, Saturday nine a.m. to one p.m."),
    ("Open Monday\u2013Friday, 9:00\u201317:00.", "Open Monday to Friday, nine to five p.m."),
    ("Between 9-17 we answer at once.", "Between nine and seventeen we answer at once."),
    ("It takes 10-15 min.", "It takes ten to fifteen minutes."),
    ("An answer takes 2h30.", "An answer takes two hours thirty minutes."),
    ("At 25:99 it is late.", "At twenty-five to ninety-nine it is late."),
]
DATES = [
    ("On May 3, 2026.", "On May third, twenty twenty-six."),
    ("The 3rd of May, or 3 May 2026.", "The third of May, or the third of May, twenty twenty-six."),
    ("May 3-5, then June 2027.", "May third to fifth, then June twenty twenty-seven."),
    ("Due 2026-05-12.", "Due May twelfth, twenty twenty-six."),
    ("From 2026-05-12T14:30.", "From May twelfth, twenty twenty-six at two thirty p.m."),
    ("It expires 12/05/2026.", "It expires December fifth, twenty twenty-six."),
    ("It expires 25/12/2026.", "It expires December twenty-fifth, twenty twenty-six."),
    ("Born 04/07/85.", "Born April seventh, nineteen eighty-five."),
    ("Reply by 12/05.", "Reply by December fifth."),
    ("Tue, Sept. 8 works.", "Tuesday, September eighth works."),
    (
        "Since 1998, in the 1990s, in 2005.",
        "Since nineteen ninety-eight, in the nineteen nineties, in two thousand five.",
    ),
    ("From 2024-2025.", "From twenty twenty-four to twenty twenty-five."),
]
MONEY = [
    ("A cleaning costs $80.", "A cleaning costs eighty dollars."),
    ("$1,234.56 in total.", "one thousand two hundred thirty-four dollars and fifty-six cents in total."),
    ("It is $0.99 or 50¢.", "It is ninety-nine cents or fifty cents."),
    ("There is a $50 fee.", "There is a fifty dollar fee."),
    ("$1 is a dollar.", "one dollar is a dollar."),
    ("Between $5-10, or $5 - $10.", "Between five and ten dollars, or five to ten dollars."),
    ("About $1.5 million.", "About one point five million dollars."),
    ("€20, £3.50 and 20 EUR.", "twenty euros, three pounds and fifty pence and twenty euros."),
    ("The $20/month plan.", "The twenty dollars per month plan."),
    ("Your balance is -$5.", "Your balance is minus five dollars."),
]
NUMBERS = [
    ("1,234,567 people.", "one million two hundred thirty-four thousand five hundred sixty-seven people."),
    ("Pi is 3.14, not 007.", "Pi is three point one four, not zero zero seven."),
    ("The 1st, 2nd, 21st and 100th.", "The first, second, twenty-first and one hundredth."),
    ("Save 15%, or 4.5 %.", "Save fifteen percent, or four point five percent."),
    ("5 km at 80 km/h.", "five kilometers at eighty kilometers per hour."),
    ("-5 °C or 72°F.", "minus five degrees Celsius or seventy-two degrees Fahrenheit."),
    ("A 30 min visit takes 1 h.", "A thirty minute visit takes one hour."),
    ("It takes 45 min.", "It takes forty-five minutes."),
    ("1/2 cup, 2 1/2 hours, 2½ kg.", "one half cup, two and a half hours, two and a half kilograms."),
    ("Rated 8/10, open 24/7.", "Rated eight out of ten, open twenty-four seven."),
    ("An 18-year-old, a 24-hour line.", "An eighteen-year-old, a twenty-four-hour line."),
    ("20k users on 1.2.3.", "twenty thousand users on one point two point three."),
]
CONTACTS = [
    ("Write to j.doe@example.com.", "Write to j dot doe at example dot com."),
    ("At info_desk2@my-clinic.co.uk!", "At info underscore desk two at my dash clinic dot co dot u k!"),
    ("See https://www.example.com/book-now.", "See example dot com slash book dash now."),
    ("Go to BrightSmile.com for more.", "Go to BrightSmile dot com for more."),
    ("Call (415) 555-2671.", "Call four one five, five five five, two six seven one."),
    ("Call 555-0123 now.", "Call five five five, zero one two three now."),
    ("+33 6 12 34 56 78", "plus three three, six, one two, three four, five six, seven eight"),
    ("1-800-555-0199", "one, eight hundred, five five five, zero one nine nine"),
    ("415-555-2671 ext. 12", "four one five, five five five, two six seven one extension twelve"),
    ("Dial 911, or press 1.", "Dial nine one one, or press one."),
]
CODES = [
    ("Your order number is 4521987.", "Your order number is four five two, one nine eight seven."),
    ("Order #45219 is here.", "Order number four five two one nine is here."),
    ("Your confirmation code is AB-1234.", "Your confirmation code is A-B, one two three four."),
    ("Our zip code is 94103.", "Our zip code is nine four one zero three."),
    ("You are #1.", "You are number one."),
    ("Flight BA2490, seat 14C.", "Flight B A-two four nine zero, seat fourteen C."),
    ("Postcode SW1A 1AA.", "Postcode S W one A, one A-A."),
    ("COVID-19 and B12.", "COVID nineteen and B twelve."),
    ("4111 1111 1111 1111", "four one one one, one one one one, one one one one, one one one one"),
]
ADDRESSES = [
    ("We are at 1234 Main St. Come in.", "We are at twelve thirty-four Main Street. Come in."),
    ("350 5th Ave., Suite 204.", "three fifty fifth Avenue, Suite two oh four."),
    ("Dr. Smith sees Mr. Jones.", "Doctor Smith sees Mister Jones."),
    ("At 12 Oak Dr. near St. Mary's.", "At twelve Oak Drive near Saint Mary's."),
    ("R&D, C++, 18+.", "R and D, C plus plus, eighteen plus."),
    ("Fees, e.g. tax, etc.", "Fees, for example tax, et cetera."),
    ("No. 5, or press #.", "Number five, or press pound."),
]


@pytest.mark.parametrize(("written", "said"), [*TIMES, *DATES, *MONEY, *NUMBERS, *CONTACTS, *CODES, *ADDRESSES])
def test_english_is_written_and_said(written, said):
    assert spoken(written, "en") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("It expires 12/05/2026.", "It expires the twelfth of May, twenty twenty-six."),
        ("It costs 101 pounds, press #.", "It costs one hundred and one pounds, press hash."),
        ("Call 020 7946 0958.", "Call zero two zero, seven nine four six, zero nine five eight."),
    ],
)
def test_british_english_has_its_own_dates_and_numbers(written, said):
    assert spoken(written, "en-GB") == said
