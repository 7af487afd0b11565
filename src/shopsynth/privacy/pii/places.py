"""Names of places that an address is built from.

In: nothing. Out: patterns of provinces, cities, and what roads and houses are called.
"""

PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南"
    "|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)

CITIES = (
    "广州|深圳|杭州|成都|武汉|南京|西安|苏州|郑州|长沙|东莞|青岛|沈阳|宁波|昆明|大连|厦门|合肥|佛山"
    "|福州|哈尔滨|济南|温州|长春|石家庄|常州|泉州|南宁|贵阳|南昌|太原|烟台|嘉兴|南通|金华|珠海|惠州"
    "|徐州|海口|乌鲁木齐|绍兴|中山|台州|兰州|无锡|潍坊|保定|镇江|扬州|桂林|唐山|三亚|湖州|呼和浩特"
    "|廊坊|洛阳|威海|盐城|临沂|江门|汕头|泰州|漳州|邯郸|济宁|芜湖|淄博|银川|柳州|绵阳|湛江|鞍山"
    "|赣州"
    "|大庆|宜昌|包头|咸阳|秦皇岛|株洲|莆田|吉林|淮安|肇庆|宁德|衡阳|南平|连云港|丹东|丽江|揭阳|延边"
    "|舟山|九江|龙岩|沧州|抚顺|襄阳|上饶|营口|三明|蚌埠|丽水|岳阳|清远|荆州|泰安|衢州|盘锦|东营"
    "|南阳"
    "|马鞍山|南充|西宁|孝感|齐齐哈尔|义乌|昆山|常熟|张家港|江阴|晋江|慈溪|余姚|诸暨|拉萨|遵义|德阳|台北|新北|高雄|台中|台南|桃园|新竹|基隆|九龙|新界"
)

PROVINCE_OR_CITY = rf"(?:{PROVINCES}|{CITIES})"

ROAD = r"(?:大道|大街|路|街|巷|胡同|弄|(?<![味频赛渠地知报轨隧跑管通茶柔门])道)"

ESTATE = (
    r"(?:小区|庭院|庭苑|花园|花苑|家园|公寓|大厦|广场|新村|社区|山庄|别墅|雅苑|嘉苑|佳苑|名苑|校区|宿舍|公馆"
    r"|科技园|工业园|产业园|创业园|软件园|学院|大学|中学|小学|医院|写字楼|大楼|庄园|苑|湾|庭|府|园"
    r"|城"
    r"|中心|华府|豪庭|里)"
)

STREET = (
    r"(?:(?P<strong>street|avenue|road|lane|boulevard|rd|ave|blvd|ln|parkway|pkwy|highway|hwy|st"
    r"|dr)"
    r"|(?P<weak>drive|court|ct|place|pl|way|terrace|ter|circle|cir|square|sq|close|crescent|cres"
    r"|row|mews|gardens|grove|hill|walk|trail|trl|loop|alley|park|quay|wharf|heights|green|parade|approach|yard|yards|esplanade|rise|view|vale"
    r"|crossing|pike|turnpike|bend|run|point|ridge|path|broadway|mount|fields|villas|common"
    r"|cl|tce|pde|cct|gdns|bvd))"
)

STREET_WORDS = "blvd|road|rd|street|st|avenue|ave|drive|dr|lane|ln|way|court|ct|circle|place|pl"

STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM"
    "|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC|AB|BC|MB|NB|NL|NS|ON|PE|QC|SK"
    "|NSW|VIC|QLD|TAS|ACT"
)

_NOT_A_STREET_LIST = (
    "pack packs piece pieces pcs pc inch inches oz ml gb tb mm cm ft count ct set sets pair pairs"
    " x hour hours minute minutes day days week weeks month months year years star stars percent"
    " men mens women womens kids size sizes new black white red blue green grey gray pink thread"
    " way pro max plus mini usb hard flash disk portable external wheel screw test in-1 in1 speed"
    " port ports person people player players volt volts watt watts w v k mah lb lbs kg g l pound"
    " pounds dollar dollars bucks layer layers level levels tier tiers drawer drawers door doors"
    " seat seats light lights led bulb bulbs times time of the a and or for with on in at to is"
    " was from my your this that it by per only off more less than"
)
NOT_A_STREET = frozenset(_NOT_A_STREET_LIST.split())
"""Words that follow a number of something and not of a house."""
