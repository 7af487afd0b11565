"""What a column is called when it plays a role, in English and Chinese.

In: the column names of one source. Out: which column plays which role.

Names are compared squeezed: lower case, without spaces and signs, so ``Customer ID``,
``customer_id`` and ``CustomerID`` are one. Within a role, earlier synonyms win.
"""

import re

_SIGNS = re.compile(r"[\W_]+")

SYNONYMS: dict[str, tuple[str, ...]] = {
    "user_id": (
        "userid", "useruniqueid", "customeruniqueid", "customerid", "customerno", "clientid",
        "memberid", "buyerid", "visitorid", "shopperid", "accountid", "reviewerid", "userno",
        "uid", "user", "customer", "visitor", "用户id", "用户编号", "用户标识", "用户", "客户id",
        "客户编号", "客户", "会员id", "会员编号", "会员号", "买家id", "买家编号", "买家", "顾客id",
        "顾客编号",
    ),
    "item_id": (
        "itemid", "productid", "productuid", "skuid", "sku", "stockcode", "asin", "parentasin",
        "articleid", "goodsid", "clothingid", "itemcode", "productcode", "articleno", "itemno",
        "isbn", "ean", "gtin", "corpusid", "item", "商品id", "商品编号", "商品编码", "商品代码",
        "商品", "产品id", "产品编号", "产品编码", "货号", "货品编号", "物品id", "物品编号",
        "宝贝id",
    ),
    "timestamp": (
        "timestamp", "eventtime", "eventtimestamp", "datetime", "time", "ts", "invoicedate",
        "orderpurchasetimestamp", "purchasetimestamp", "purchasedate", "orderdate", "ordertime",
        "transactiondate", "transactiontime", "tdat", "unixreviewtime", "reviewtime", "reviewdate",
        "createdat", "orderedat", "purchasedat", "occurredat", "eventdate", "date", "时间",
        "时间戳", "日期", "下单时间", "下单日期", "订单时间", "订单日期", "购买时间", "购买日期",
        "交易时间", "交易日期", "支付时间", "付款时间", "行为时间", "点击时间", "浏览时间",
        "创建时间", "评论时间",
    ),
    "event_type": (
        "eventtype", "eventname", "event", "actiontype", "action", "behaviortype", "behavior",
        "behaviourtype", "behaviour", "interactiontype", "edgetype", "行为类型", "行为", "事件类型",
        "事件", "操作类型", "操作",
    ),
    "quantity": (
        "quantity", "qty", "orderqty", "orderquantity", "itemcount", "pieces", "数量", "购买数量",
        "件数", "商品数量",
    ),
    "price": (
        "price", "unitprice", "listprice", "saleprice", "itemprice", "productprice",
        "currentprice", "价格", "单价", "售价", "商品价格", "商品单价",
    ),
    "session_id": ("sessionid", "session", "visitid", "会话id", "会话", "会话编号"),
    "order_id": (
        "orderid", "orderno", "ordernumber", "invoiceno", "invoice", "invoiceid", "salesorderid",
        "transactionid", "basketid", "订单id", "订单编号", "订单号",
    ),
    "query_id": (
        "queryid", "qid", "searchid", "searchtermid", "查询id", "查询编号", "查询词id",
        "查询词编号", "搜索id", "搜索编号", "搜索词id", "搜索词编号",
    ),
    "query": (
        "searchterm", "searchquery", "query", "querytext", "searchtext", "keyword", "keywords",
        "搜索词", "查询词", "查询", "关键词", "检索词", "搜索内容",
    ),
    "grade": (
        "relevance", "grade", "relevancescore", "relevancegrade", "esci", "esclabel", "gain",
        "label", "相关性", "相关度", "相关性等级", "标签",
    ),
    "title": (
        "title", "producttitle", "itemtitle", "productname", "itemname", "productdisplayname",
        "displayname", "titles", "name", "标题", "商品标题", "商品名称", "商品名", "产品名称",
        "名称", "品名", "宝贝标题",
    ),
    "description": (
        "description", "productdescription", "itemdescription", "longdescription", "desc",
        "描述", "商品描述", "产品描述", "详情", "商品详情", "简介",
    ),
    "brand": ("brand", "brandname", "manufacturer", "brandid", "品牌", "品牌名称", "品牌名"),
    "category": (
        "category", "categories", "categoryname", "productcategoryname", "productcategory",
        "categorypath", "maincategory", "articletype", "subcategory", "mastercategory",
        "classname", "maincat", "productclass", "categoryid", "productcategoryid", "icategory",
        "类目", "商品类目", "分类", "商品分类", "类别", "商品类别", "品类", "类目名称", "类目id",
    ),
    "currency": ("currency", "currencycode", "币种", "货币"),
    "available_at": ("availableat", "sellstartdate", "releasedate", "launchdate", "上架时间"),
    "image": ("image", "imageurl", "imageurlhighres", "picture", "photo", "图片", "商品图片"),
    "review_id": ("reviewid", "commentid", "评论id", "评论编号", "评价id"),
    "review_text": (
        "reviewtext", "reviewbody", "review", "reviewcontent", "comment", "commenttext",
        "reviewcommentmessage", "评论内容", "评论", "评价内容", "评价",
    ),
    "review_title": ("summary", "reviewtitle", "headline", "reviewheadline", "评论标题"),
    "rating": ("rating", "overall", "starrating", "stars", "reviewscore", "评分", "星级", "打分"),
    "locale": ("locale", "language", "lang", "productlocale", "querylocale", "语言"),
    "position": (
        "position", "pos", "sequence", "sequencenumber", "seq", "seqno", "step", "序号", "次序",
        "顺序",
    ),
}  # fmt: skip
"""Role to its squeezed names, best first."""

_PERSONAL = (
    "name", "mail", "phone", "mobile", "address", "street", "birth", "password", "ssn", "passport",
    "姓名", "电话", "手机", "邮箱", "地址", "生日", "身份证", "昵称",
)  # fmt: skip
_TECHNICAL = ("rowguid", "guid", "modifieddate", "updatedat", "hash", "url", "filename", "unnamed")


def squeezed(name: str) -> str:
    """Bring a column name to the form that synonyms are compared in.

    Example:
        >>> squeezed("Customer_ID ")
        'customerid'
    """
    return _SIGNS.sub("", name).lower()


def roles_of(columns: list[str]) -> dict[str, str]:
    """Find which column plays which role; a column plays one role, its best."""
    by_name = {squeezed(column): column for column in reversed(columns)}
    roles: dict[str, str] = {}
    for role, names in SYNONYMS.items():
        found = next((by_name[name] for name in names if name in by_name), None)
        if found is not None and found not in roles.values():
            roles[role] = found
    return roles


def alternatives(role: str, columns: list[str]) -> list[str]:
    """List the columns that could play a role too, best first."""
    names = SYNONYMS.get(role, ())
    fits = [column for column in columns if squeezed(column) in names]
    return sorted(fits, key=lambda column: names.index(squeezed(column)))


def is_personal(column: str) -> bool:
    """Say whether a column of people sounds like a contact or a name: it is then left out."""
    return any(word in squeezed(column) for word in _PERSONAL)


def is_technical(column: str) -> bool:
    """Say whether a column serves a database, not a shop."""
    return any(word in squeezed(column) for word in _TECHNICAL)
