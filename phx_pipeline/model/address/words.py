"""The words of streets: directions, suffixes, and their short forms.

The short forms are those of USPS Publication 28: appendix C1 (street suffixes) and B
(directions). What a line does with a word does not belong here.
"""

from collections.abc import Iterator
from typing import Final

# Each entry: the short form, the full word, then what else people write for it; after
# a slash the plural where the postal service has one short form for both. Left out:
# Viaduct, whose short form "Via" begins many streets here, and Trailer, a unit.
_SUFFIX_TABLE = """
Aly alley allee ally; Anx annex anex annx; Arc arcade; Ave avenue av aven avenu avn
avnue; Byu bayou bayoo; Bch beach; Bnd bend; Blf bluff bluf; Blfs bluffs; Btm bottom bot
bottm; Blvd boulevard boul boulv bl blv
bvd; Br branch brnch; Brg bridge brdge; Brk brook; Brks
brooks; Bg burg; Bgs burgs; Byp bypass bypa bypas byps; Cp camp cmp; Cyn canyon canyn
cnyn; Cpe cape; Cswy causeway causwa; Ctr center cen cent centr centre cnter cntr; Ctrs
centers; Cir circle circ circl crcl crcle; Cirs circles; Clf cliff; Clfs cliffs; Clb
club; Cmn common; Cmns commons; Cor corner; Cors corners; Crse course; Ct court crt; Cts
courts; Cv cove; Cvs coves; Crk creek; Cres crescent crsent crsnt; Crst crest; Xing
crossing crssng; Xrd crossroad; Xrds crossroads; Curv curve; Dl dale; Dm dam; Dv divide
div dvd; Dr drive driv drv; Drs drives; Est estate; Ests estates; Expy expressway exp
expr express expw expwy; Ext extension extn extnsn; Exts extensions; Fall fall; Fls
falls; Fry ferry frry; Fld field; Flds fields; Flt flat; Flts flats; Frd ford; Frds
fords; Frst forest / forests;
Frg forge forg; Frgs forges; Frk fork; Frks forks; Ft fort frt; Fwy
freeway freewy frway frwy; Gdn garden gardn grden grdn; Gdns gardens grdns; Gtwy gateway
gatewy gatway gtway; Gln glen; Glns glens; Grn green; Grns greens; Grv grove grov; Grvs
groves; Hbr harbor harb harbr hrbor; Hbrs harbors; Hvn haven; Hts heights ht; Hwy
highway highwy hiway hiwy hway; Hl hill; Hls hills; Holw hollow hllw / hollows holws;
Inlt inlet; Is island islnd; Iss islands islnds; Isle isle / isles; Jct junction jction
jctn junctn juncton; Jcts junctions jctns; Ky key; Kys keys; Knl knoll knol; Knls
knolls; Lk lake; Lks lakes; Land land; Lndg landing lndng; Ln lane; Lgt light; Lgts
lights; Lf loaf; Lck lock; Lcks locks; Ldg lodge ldge lodg; Loop loop / loops; Mall
mall; Mnr manor; Mnrs manors; Mdw meadow; Mdws meadows medows; Mews mews; Ml mill; Mls
mills; Msn mission missn mssn; Mtwy motorway; Mt mount mnt; Mtn mountain mntain mntn
mountin mtin; Mtns mountains mntns; Nck neck; Orch orchard orchrd; Oval oval ovl; Opas
overpass; Park park prk / parks; Pkwy parkway parkwy pkway pky / parkways pkwys; Pass
pass; Psge passage; Path path / paths; Pike pike / pikes; Pne pine; Pnes pines; Pl
place; Pln plain; Plns plains; Plz plaza plza; Pt point; Pts points; Prt port; Prts
ports; Pr prairie prr; Radl radial rad radiel; Ramp ramp; Rnch ranch / ranches rnchs;
Rpd rapid; Rpds rapids; Rst rest; Rdg ridge rdge; Rdgs ridges; Riv river rvr rivr; Rd
road; Rds roads; Rte route rt; Row row; Rue rue; Run run; Shl shoal; Shls shoals; Shr
shore shoar; Shrs shores shoars; Skwy skyway; Spg spring spng sprng; Spgs springs spngs
sprngs; Spur spur / spurs; Sq square sqr sqre squ; Sqs squares sqrs; Sta station statn
stn; Stra stravenue strav straven stravn strvn strvnue; Strm stream streme; St street
strt str; Sts streets; Smt summit sumit sumitt; Ter terrace terr; Trwy throughway; Trce
trace / traces; Trak track trk / tracks trks; Trfy trafficway; Trl trail tr / trails
trls; Tunl tunnel tunel tunnl / tunnels tunls; Tpke turnpike trnpk turnpk; Upas
underpass; Un union; Uns unions; Vly valley vally vlly; Vlys valleys; Vw view; Vws
views; Vlg village vill villag villg villiage; Vlgs villages; Vl ville; Vis vista vist
vst vsta; Walk walk / walks; Wall wall; Way way wy; Ways ways; Wl well; Wls wells
"""


def _suffix_rows(table: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield short form, full word and spellings; a plural comes with its own word."""
    for row in table.split(";"):
        singular, _, plural = row.partition("/")
        short, full, *others = singular.split()
        yield short, full, [short.lower(), full, *others]
        if plural:
            yield short, plural.split()[0], plural.split()


_ROWS = tuple(_suffix_rows(_SUFFIX_TABLE))

# Any spelling of a suffix -> its short form: "trails" -> "Trl".
SUFFIXES: Final = {word: short for short, _, words in _ROWS for word in words}
# Any spelling -> the word it stands for: "trls" -> "trails", "trl" -> "trail".
FULL_WORDS: Final = {word: full for _, full, words in _ROWS for word in words}
# Any spelling -> how a street ends: "trail" -> "Trl"; a plural that shares the short
# form of its singular stays a word, for "Trl" is read as one trail.
WRITTEN: Final = {
    word: short if full == FULL_WORDS[short.lower()] else full.capitalize()
    for short, full, words in _ROWS
    for word in words
}
# After a lone direction these are the suffix ("North St"); a rarer one is the name
# ("E Plaza").
EVERYDAY: Final = frozenset(
    {"St", "Ave", "Rd", "Dr", "Ln", "Ct", "Cir", "Blvd", "Pl", "Way"}
)

DIRECTIONS: Final = {
    spelled: short
    for short, long in (
        ("N", "north"),
        ("S", "south"),
        ("E", "east"),
        ("W", "west"),
        ("NE", "northeast"),
        ("NW", "northwest"),
        ("SE", "southeast"),
        ("SW", "southwest"),
    )
    for spelled in (short.lower(), long)
}
# After these the last word belongs to the name: "Avenue Of The Park".
CONNECTING: Final = frozenset({"of", "the", "de", "del", "la", "las", "los", "el"})
