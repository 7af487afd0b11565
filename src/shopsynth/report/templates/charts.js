/* The report's pictures. In: the JSON in #chart-data, by the id of each chart's element; colours
   from the style sheet. Out: one SVG a chart. Tooltips are drawn, not written as HTML, so that no
   text of the shop is ever parsed as markup. */
(function () {
  "use strict";
  var NARROW_PX = 560, SHAPES = ["circle", "triangle", "diamond", "rect"];
  var DASHES = ["solid", [6, 4], [2, 3], [8, 3, 2, 3]];
  var root = document.documentElement;
  var all = JSON.parse(document.getElementById("chart-data").textContent);
  var drawn = [];

  function ink(name) { return getComputedStyle(root).getPropertyValue("--" + name).trim(); }
  function percent(share, digits) {
    var text = (100 * share).toFixed(digits === undefined ? 0 : digits);
    return (text.charAt(0) === "-" ? "\u2212" + text.slice(1) : text) + "\u202f%";
  }
  function signedPercent(share) {
    return (share > 0 ? "+" : "") + percent(share, Math.abs(share) < 0.1 && share ? 1 : 0);
  }
  function brief(value) { return String(parseFloat(Number(value).toPrecision(3))); }
  function tone(name, index) {
    var known = { real: "real", synthetic: "synthetic", combined: "combined",
      clock: "real", CPU: "synthetic", rows: "control" };
    return ink(known[name] || ["real", "synthetic", "combined", "control"][index % 4]);
  }
  function axis(name, more) {
    return Object.assign({
      name: name || "", nameLocation: "middle", nameGap: 28,
      nameTextStyle: { color: ink("soft"), fontSize: 12 },
      axisLabel: { color: ink("soft"), fontSize: 12, hideOverlap: true },
      axisLine: { show: true, lineStyle: { color: ink("line") } }, axisTick: { show: false },
      splitLine: { lineStyle: { color: ink("line"), opacity: 0.6 } },
    }, more);
  }
  function base(more) {
    return Object.assign({
      animation: false, backgroundColor: "transparent",
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: ink("text") },
      tooltip: { renderMode: "richText", confine: true, backgroundColor: ink("card"),
        borderColor: ink("line"), textStyle: { color: ink("text"), fontSize: 12 } },
    }, more);
  }
  function legend(names, width) {
    return { top: 0, left: 0, itemWidth: width || 22, itemHeight: 9, data: names,
      textStyle: { color: ink("text"), fontSize: 12 }, selectedMode: false };
  }
  function rowAxis(labels, width, styles) {
    return axis("", { type: "category", inverse: true, data: labels.map(function (text, i) {
      return { value: text, textStyle: styles ? styles[i] : undefined };
    }), splitLine: { show: false }, axisLine: { show: false },
      axisLabel: { color: ink("text"), fontSize: 12, width: width, overflow: "break", interval: 0 } });
  }

  function groupStyles(rows) {
    return rows.map(function (row) {
      return row.mid === undefined ? { fontWeight: 700, color: ink("text") } : { color: ink("text") };
    });
  }
  function textAxis(rows) {
    return axis("", { type: "category", inverse: true, position: "right",
      data: rows.map(function (row) { return row.text || ""; }), axisLine: { show: false },
      axisLabel: { color: ink("text"), fontSize: 12, interval: 0, width: 186, overflow: "truncate" } });
  }
  function labelsOf(rows) { return rows.map(function (row) { return row.label; }); }
  // A row without a number keeps its place; where no column of figures fits, its label says why.
  function narrowLabels(rows) {
    return rows.map(function (row) {
      return row.mid === null ? row.label + "\n" + row.text : row.label;
    });
  }
  // Every mark has the same size, whatever it found; hollow ones hold zero.
  function mark(value, symbol, color, filled) {
    return { value: value, symbol: symbol, symbolSize: 11, itemStyle: {
      color: filled ? color : ink("card"), borderColor: color, borderWidth: 2 } };
  }

  function forest(data, wide) {
    var labels = wide ? labelsOf(data.rows) : narrowLabels(data.rows);
    var dots = [], spans = [];
    data.rows.forEach(function (row, i) {
      if (row.mid === undefined || row.mid === null) { return; }
      var color = ink(row.main ? "combined" : row.ceiling ? "real" : "control");
      if (row.mid >= data.min && row.mid <= data.max) {
        dots.push(mark([row.mid, i], row.main ? "diamond" : row.ceiling ? "rect" : "circle",
          color, row.clear));
      }
      spans.push([
        { coord: [row.low, i], symbol: row.cut_low ? "arrow" : "none", symbolSize: 8,
          lineStyle: { color: color, width: 2 } },
        { coord: [row.high, i], symbol: row.cut_high ? "arrow" : "none", symbolSize: 8 },
      ]);
    });
    var option = base({
      grid: { left: wide ? 200 : 142, right: wide ? 200 : 14, top: 6, bottom: 44 },
      xAxis: axis(data.x, { type: "value", min: data.min, max: data.max, axisLabel: {
        color: ink("soft"), fontSize: 12, hideOverlap: true, showMinLabel: false,
        showMaxLabel: false, formatter: signedPercent } }),
      yAxis: [rowAxis(labels, wide ? 188 : 132, groupStyles(data.rows))],
      series: [
        { type: "scatter", data: dots, z: 3, markLine: { silent: true, data: spans,
          label: { show: false }, lineStyle: { type: "solid" } } },
        { type: "scatter", data: [], silent: true, markLine: { silent: true, symbol: "none",
          label: { show: false }, data: [{ xAxis: 0 }],
          lineStyle: { type: "solid", width: 1.5, color: ink("text") } } },
      ],
    });
    option.tooltip.formatter = function (point) {
      var row = data.rows[point.value[1]];
      return row.label + "\n" + row.text;
    };
    if (wide) {
      option.yAxis.push(textAxis(data.rows));
      option.series[1].yAxisIndex = 1;
    }
    return option;
  }

  function values(data, wide) {
    var dots = [], spans = [], bases = [];
    var symbols = { real: "circle", combined: "diamond", synthetic: "triangle" };
    data.rows.forEach(function (row, i) {
      if (row.mid === undefined || row.mid === null) { return; }
      var color = ink(symbols[row.arm] ? row.arm : "control");
      dots.push(mark([row.mid, i], symbols[row.arm] || "rect", color, true));
      if (row.low !== null && row.high !== null) {
        spans.push([{ coord: [row.low, i], lineStyle: { color: color, width: 2 } },
          { coord: [row.high, i] }]);
      }
      if (row.base !== null) { bases.push([row.base, i]); }
    });
    var option = base({
      grid: { left: wide ? 200 : 142, right: wide ? 200 : 14, top: 6, bottom: 44 },
      xAxis: axis(data.x, { type: "value", scale: true, axisLabel: { color: ink("soft"),
        fontSize: 12, hideOverlap: true, formatter: brief } }),
      yAxis: [rowAxis(wide ? labelsOf(data.rows) : narrowLabels(data.rows), wide ? 188 : 132,
        groupStyles(data.rows))],
      series: [
        { type: "scatter", data: dots, z: 3, markLine: { silent: true, symbol: "none", data: spans,
          label: { show: false }, lineStyle: { type: "solid" } } },
        { type: "scatter", data: bases, silent: true, symbol: "rect", symbolSize: [2, 26], z: 2,
          itemStyle: { color: ink("real"), opacity: 0.55 } },
      ],
    });
    option.tooltip.formatter = function (point) {
      var row = data.rows[point.value[1]];
      return row.label + "\n" + row.text;
    };
    if (wide) {
      option.yAxis.push(textAxis(data.rows));
      option.series.push({ type: "scatter", data: [], yAxisIndex: 1 });
    }
    return option;
  }

  function dumbbell(data, wide) {
    var labels = data.rows.map(function (row) { return row.label; });
    var names = data.names || ["other real data", "synthetic"];
    var pairs = [], real = [], made = [];
    data.rows.forEach(function (row, i) {
      made.push([row.value, i]);
      if (row.ceiling === null) { return; }
      real.push([row.ceiling, i]);
      pairs.push([{ coord: [row.ceiling, i] }, { coord: [row.value, i] }]);
    });
    var option = base({
      legend: legend(names, 10),
      grid: { left: wide ? 230 : 142, right: 24, top: 30, bottom: 44 },
      xAxis: axis(data.x, { type: "value" }), yAxis: rowAxis(labels, wide ? 218 : 132),
      series: [
        { name: names[0], type: "scatter", symbol: "circle", symbolSize: 11, z: 3, data: real,
          itemStyle: { color: ink("real") }, markLine: { silent: true, symbol: "none", data: pairs,
            label: { show: false }, lineStyle: { type: "solid", width: 2, color: ink("control") } } },
        { name: names[1], type: "scatter", symbol: "triangle", symbolSize: 12, z: 4, data: made,
          itemStyle: { color: ink("synthetic") } },
      ],
    });
    option.tooltip.formatter = function (point) {
      return labels[point.value[1]] + "\n" + point.seriesName + ": " + brief(point.value[0]);
    };
    return option;
  }

  function scatter(data) {
    var bare = { axisLabel: { show: false }, splitLine: { show: false }, axisLine: { show: false } };
    var option = base({
      grid: { left: 4, right: 4, top: 4, bottom: 4, show: true, borderColor: ink("line") },
      xAxis: axis("", Object.assign({ type: "value", min: data.x[0], max: data.x[1] }, bare)),
      yAxis: axis("", Object.assign({ type: "value", min: data.y[0], max: data.y[1] }, bare)),
      series: data.series.map(function (series, i) {
        return { type: "scatter", name: series.name, data: series.points, silent: true,
          symbol: series.name === "synthetic" ? "triangle" : "circle", symbolSize: 4,
          itemStyle: { color: tone(series.name, i), opacity: 0.5 } };
      }),
    });
    option.tooltip.show = false;
    return option;
  }

  function lines(data) {
    var ticks = { axisLabel: { color: ink("soft"), fontSize: 12, hideOverlap: true } };
    var shares = { axisLabel: { color: ink("soft"), fontSize: 12, formatter: function (share) {
      return percent(share, share && share < 0.01 ? Math.min(3, Math.ceil(-Math.log10(share)) - 2) : 0);
    } } };
    var option = base({
      legend: legend(data.series.map(function (series) { return series.name; })),
      grid: { left: 58, right: 16, top: 32, bottom: 44 },
      xAxis: axis(data.x, Object.assign(data.labels
        ? { type: "category", data: data.labels }
        : { type: data.log_x ? "log" : "value", min: "dataMin", max: "dataMax" }, ticks)),
      yAxis: axis(data.y, Object.assign({ type: data.log_y ? "log" : "value", nameGap: 44 }, shares)),
      series: data.series.map(function (series, i) {
        var color = tone(series.name, i);
        return { type: "line", name: series.name, data: series.points,
          symbol: SHAPES[i % 4], symbolSize: 6, showSymbol: series.points.length <= 30,
          itemStyle: { color: color },
          lineStyle: { color: color, width: 2, type: DASHES[i % 4] } };
      }),
    });
    option.tooltip.trigger = "axis";
    option.tooltip.valueFormatter = function (share) { return percent(share, 2); };
    return option;
  }

  function dose(data) {
    var widest = Math.max.apply(null, data.series.map(function (series) {
      return Math.max.apply(null, series.points.map(function (point) { return point[0]; }));
    }));
    // Points of several weights at one dose stand side by side, so that no interval hides another.
    function place(ratio, i) {
      return ratio + (i - (data.series.length - 1) / 2) * 0.014 * widest;
    }
    var option = base({
      legend: legend(data.series.map(function (series) { return series.name; })),
      grid: { left: 66, right: 20, top: 34, bottom: 44 },
      xAxis: axis(data.x, { type: "value", min: -0.05 * widest, max: 1.06 * widest, axisLabel: {
        color: ink("soft"), fontSize: 12, showMinLabel: false, showMaxLabel: false } }),
      yAxis: axis(data.y, { type: "value", scale: true, nameGap: 50, axisLabel: {
        color: ink("soft"), fontSize: 12, formatter: function (value) { return value.toFixed(4); } } }),
      series: data.series.map(function (series, i) {
        var color = ink(["combined", "real", "synthetic", "control"][i % 4]);
        var spans = series.points.filter(function (p) { return p[2] !== null && p[3] !== null; });
        return { type: "line", name: series.name, symbol: SHAPES[i % 4], symbolSize: 8,
          itemStyle: { color: color }, lineStyle: { color: color, width: 2, type: DASHES[i % 4] },
          data: series.points.map(function (point) {
            return { value: [place(point[0], i), point[1]], ratio: point[0], interval: point.slice(2, 4),
              symbolSize: point[4] ? 18 : 8, symbol: point[4] ? "diamond" : SHAPES[i % 4],
              label: { show: point[4], formatter: "chosen", position: [20, -8],
                color: ink("text"), fontWeight: 700 } };
          }),
          markLine: { silent: true, symbol: "none", label: { show: false },
            lineStyle: { type: "solid", width: 1.5, color: color, opacity: 0.55 },
            data: spans.map(function (p) {
              return [{ coord: [place(p[0], i), p[2]] }, { coord: [place(p[0], i), p[3]] }];
            }) } };
      }),
    });
    var ends = [];
    data.series.forEach(function (series) { series.points.forEach(function (p) {
      [p[1], p[2], p[3]].forEach(function (v) { if (v !== null) { ends.push(v); } });
    }); });
    var low = Math.min.apply(null, ends), high = Math.max.apply(null, ends);
    var margin = 0.12 * (high - low || Math.abs(high) || 1);
    option.yAxis.min = low - margin;
    option.yAxis.max = high + margin;
    option.yAxis.axisLabel.showMinLabel = option.yAxis.axisLabel.showMaxLabel = false;
    option.tooltip.formatter = function (point) {
      return point.seriesName + ", " + brief(point.data.ratio) + " per real event\n" +
        point.value[1].toFixed(4) + point.data.interval.map(function (v, i) {
          return (i ? " to " : "  ") + (v === null ? "\u2013" : v.toFixed(4));
        }).join("");
    };
    return option;
  }

  function bars(data, wide) {
    var several = data.series.length > 1;
    return base({
      legend: several ? legend(data.series.map(function (s) { return s.name; })) : undefined,
      grid: { left: wide ? 230 : 142, right: 70, top: several ? 30 : 6, bottom: 44 },
      xAxis: axis(data.x, { type: "value" }), yAxis: rowAxis(data.labels, wide ? 218 : 132),
      series: data.series.map(function (series, i) {
        return { type: "bar", name: series.name, data: series.values, barMaxWidth: 16,
          itemStyle: { color: tone(series.name, i) },
          label: { show: true, position: "right", color: ink("text"), fontSize: 12,
            formatter: function (bar) {
              return bar.value >= 1000 ? bar.value.toLocaleString("en").replace(/,/g, "\u202f")
                : brief(bar.value);
            } } };
      }),
    });
  }

  var FORMS = { forest: forest, values: values, dumbbell: dumbbell, scatter: scatter, lines: lines, dose: dose,
    bars: bars };

  function paint(item) {
    var wide = item.element.clientWidth > NARROW_PX;
    item.chart.setOption(FORMS[item.data.kind](item.data, wide), true);
  }
  function repaint() { drawn.forEach(paint); }

  root.classList.add("js");
  Object.keys(all).forEach(function (id) {
    var element = document.getElementById(id);
    element.style.height = all[id].height + "px";
    var chart = echarts.init(element, null, { renderer: "svg" });
    drawn.push({ element: element, chart: chart, data: all[id] });
  });
  repaint();
  window.addEventListener("resize", function () {
    drawn.forEach(function (item) { item.chart.resize(); paint(item); });
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  window.addEventListener("beforeprint", function () {
    root.setAttribute("data-theme", "light"); repaint();
  });
  window.addEventListener("afterprint", function () {
    root.removeAttribute("data-theme"); repaint();
  });
  root.setAttribute("data-charts", String(drawn.length));
})();
