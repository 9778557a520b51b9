/* Charts of the metrics' pages: SVG, rich-text tooltips, colours from the tokens. The table below says the same. */
(function () {
  "use strict";
  var MINUS = "\u2212";
  var made = [];
  function css(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
  function number(value, places) {
    if (value === null || value === undefined) { return ""; }
    var text = Math.abs(value).toFixed(places || 0);
    return (value < 0 && Number(text) !== 0 ? MINUS : "") + text;
  }
  function narrow() { return document.documentElement.clientWidth < 600; }
  function mixed(into, from) {
    Object.keys(from).forEach(function (key) { into[key] = from[key]; });
    return into;
  }
  function axis(own) {
    return mixed({ axisLine: { show: false }, axisTick: { show: false },
      axisLabel: { color: css("--ink-3"), fontSize: 11.5 }, splitLine: { lineStyle: { color: css("--line") } } }, own);
  }
  function base() {
    return { animation: false, aria: { enabled: true },
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11.5, color: css("--ink-3") },
      tooltip: { renderMode: "richText", trigger: "axis", confine: true, backgroundColor: css("--ink"), borderWidth: 0, padding: [7, 10],
        textStyle: { color: css("--paper"), fontSize: 12 },
        axisPointer: { type: "line", lineStyle: { color: css("--line-2"), type: "solid" } } } };
  }

  function trend(data) {
    var rows = data.rows, chart = base(), most = 1, series = [], segments = {};
    var labels = rows.map(function (row, i) { return String(i); });
    rows.forEach(function (row) { most = Math.max(most, row.n); segments[row.segment] = true; });
    function of(segment, take) {
      return rows.map(function (row) { return row.segment === Number(segment) && row.v !== null ? take(row) : null; });
    }
    Object.keys(segments).forEach(function (segment) {
      var band = { type: "line", stack: "band" + segment, stackStrategy: "all", silent: true, symbol: "none", lineStyle: { opacity: 0 } };
      series.push(mixed({ data: of(segment, function (row) { return row.lo; }) }, band));
      series.push(mixed({ areaStyle: { color: css("--ink"), opacity: 0.1 },
        data: of(segment, function (row) { return Number((row.hi - row.lo).toFixed(2)); }) }, band));
      series.push({ type: "line", symbol: "circle", symbolSize: 6, connectNulls: false,
        lineStyle: { width: 1.75, color: css("--ink") }, itemStyle: { color: css("--ink") },
        data: of(segment, function (row) {
          var hollow = row.few || row.open;
          return { value: row.v, symbolSize: hollow ? 7 : 5,
            itemStyle: hollow ? { color: css("--surface"), borderColor: row.few ? css("--mid") : css("--ink"), borderWidth: 1.5 } : {} };
        }) });
    });
    if (series.length && data.lines.length) {
      series[0].markLine = { silent: true, symbol: "none", data: data.lines.map(function (line, i) {
        return { xAxis: String(line.at), lineStyle: { color: css("--ink-3"), type: line.structural ? "dashed" : "solid", width: line.structural ? 1 : 0.75, opacity: line.structural ? 1 : 0.6 },
          label: { show: line.structural, formatter: line.name, color: css("--ink-2"), position: "end", fontSize: 11.5, distance: 4 + (i % 2) * 12 } };
      }) };
    }
    series.push({ type: "bar", xAxisIndex: 1, yAxisIndex: 1, silent: true, barWidth: "55%",
      itemStyle: { color: css("--mid"), opacity: 0.55 }, data: rows.map(function (row) { return row.n; }) });
    var tight = narrow(), side = { left: 46, right: 16 };
    chart.grid = [mixed({ top: 30, height: tight ? 158 : 196 }, side), mixed({ top: tight ? 204 : 244, height: 34 }, side)];
    chart.xAxis = [axis({ type: "category", data: labels, gridIndex: 0, axisLabel: { show: false }, splitLine: { show: false } }),
      axis({ type: "category", data: labels, gridIndex: 1, splitLine: { show: false }, axisLabel: { color: css("--ink-3"), fontSize: 11.5,
        interval: Math.max(0, Math.ceil(rows.length / (tight ? 4 : 8)) - 1), formatter: function (i) { return rows[Number(i)].label; } } })];
    chart.yAxis = [axis({ type: "value", gridIndex: 0, min: data.min, max: data.max, interval: data.step,
      axisLabel: { color: css("--ink-3"), fontSize: 11.5, formatter: function (v) { return number(v, data.step < 0.5 ? 2 : data.step < 1 ? 1 : 0); } } }),
    axis({ type: "value", gridIndex: 1, max: most, interval: most, splitLine: { show: false },
      axisLabel: { color: css("--ink-3"), fontSize: 11.5, formatter: function (v) { return v ? "n " + v : ""; } } })];
    chart.axisPointer = { link: [{ xAxisIndex: "all" }] };
    chart.tooltip.formatter = function (points) {
      var row = rows[points[0].dataIndex];
      return "From " + row.label + "\n" + row.says;
    };
    chart.series = series;
    return chart;
  }

  function bars(data) {
    var chart = base(), colours = { fav: "--fav-dot", mid: "--mid", unf: "--unf-dot" };
    chart.grid = { left: 8, right: 8, top: 22, bottom: 24 };
    chart.tooltip.show = false;
    chart.xAxis = axis({ type: "category", data: data.rows.map(function (row) { return row.label; }), splitLine: { show: false } });
    chart.yAxis = { show: false };
    chart.series = [{ type: "bar", barCategoryGap: "14%", barMaxWidth: 72,
      label: { show: true, position: "top", color: css("--ink-2"), fontSize: 11.5 },
      data: data.rows.map(function (row) {
        return { value: row.n, itemStyle: { borderRadius: [2, 2, 0, 0], color: css(colours[row["class"]]) } };
      }) }];
    return chart;
  }

  function steps(data) {
    var chart = base(), rows = data.rows;
    chart.grid = { left: 92, right: 52, top: 8, bottom: 24 };
    chart.tooltip.show = false;
    chart.xAxis = axis({ type: "value", min: data.min, max: data.max, interval: data.step,
      axisLabel: { color: css("--ink-3"), fontSize: 11.5, formatter: function (v) { return number(v, data.step < 0.5 ? 2 : data.step < 1 ? 1 : 0); } } });
    chart.yAxis = axis({ type: "category", inverse: true, data: rows.map(function (row) { return row.label; }),
      axisLabel: { color: css("--ink-2"), fontSize: 12 }, splitLine: { show: false } });
    chart.series = [{ type: "custom", encode: { x: [0, 1], y: 2 },
      data: rows.map(function (row, i) { return [row.from, row.to, i]; }),
      renderItem: function (params, api) {
        var row = rows[api.value(2)], a = api.coord([api.value(0), api.value(2)]), b = api.coord([api.value(1), api.value(2)]);
        var left = Math.min(a[0], b[0]), wide = Math.max(1.5, Math.abs(b[0] - a[0])), parts = [];
        if (api.value(2) < rows.length - 1) {
          parts.push({ type: "line", shape: { x1: b[0], x2: b[0], y1: b[1], y2: b[1] + api.size([0, 1])[1] }, style: { stroke: css("--line-2"), lineDash: [2, 2] } });
        }
        parts.push(row.kind === "end" ? { type: "circle", shape: { cx: a[0], cy: a[1], r: 5 }, style: { fill: css("--ink") } }
          : { type: "rect", shape: { x: left, y: a[1] - 7, width: wide, height: 14, r: 2 }, style: { fill: css(row.kind === "mix" ? "--mid" : "--ink-2") } });
        parts.push({ type: "text", style: { x: Math.max(a[0], b[0]) + 10, y: b[1] - 7, text: row.text, fill: css("--ink"), font: "600 12px Inter, system-ui" } });
        return { type: "group", children: parts };
      } }];
    return chart;
  }

  function crosses(data) {
    var chart = base(), rows = data.rows;
    chart.grid = { left: 52, right: 24, top: 22, bottom: 44 };
    chart.tooltip.trigger = "item";
    chart.tooltip.formatter = function (point) { return rows[point.dataIndex].says; };
    chart.xAxis = axis({ type: "value", min: data.x[0], max: data.x[1], name: data.xname, nameLocation: "middle", nameGap: 26, nameTextStyle: { color: css("--ink-3") }, splitLine: { show: false } });
    chart.yAxis = axis({ type: "value", min: data.y[0], max: data.y[1], name: data.yname, nameTextStyle: { color: css("--ink-3"), align: "left" },
      axisLabel: { color: css("--ink-3"), fontSize: 11.5, formatter: function (v) { return number(v, Math.abs(data.y[1] - data.y[0]) < 4 ? 1 : 0); } } });
    var taken = [];
    function room(name, x, y) {
      var box = [x, y, x + 6.6 * name.length, y + 14];
      var free = taken.every(function (other) { return box[2] < other[0] || other[2] < box[0] || box[3] < other[1] || other[3] < box[1]; });
      if (free) { taken.push(box); }
      return free;
    }
    chart.series = [{ type: "custom", encode: { x: 0, y: 1 }, data: rows.map(function (row) { return [row.x, row.y]; }),
      markLine: data.lines ? { silent: true, symbol: "none", lineStyle: { color: css("--line-2"), type: "dashed" }, label: { show: false },
        data: [{ xAxis: data.lines[0] }, { yAxis: data.lines[1] }] } : undefined,
      renderItem: function (params, api) {
        var row = rows[params.dataIndex], at = api.coord([row.x, row.y]), ink = css(row.few ? "--mid" : "--ink");
        if (params.dataIndexInside === 0) { taken = []; }
        var l = api.coord([row.xlo, row.y]), r = api.coord([row.xhi, row.y]), d = api.coord([row.x, row.ylo]), u = api.coord([row.x, row.yhi]);
        var thin = { stroke: ink, lineWidth: row.few ? 1 : 1.5 };
        return { type: "group", children: [
          { type: "line", shape: { x1: l[0], y1: at[1], x2: r[0], y2: at[1] }, style: thin },
          { type: "line", shape: { x1: at[0], y1: d[1], x2: at[0], y2: u[1] }, style: thin },
          { type: "circle", shape: { cx: at[0], cy: at[1], r: 4.5 }, style: row.few ? { fill: css("--surface"), stroke: ink, lineWidth: 1.75 } : { fill: ink } },
          { type: "text", style: { x: at[0] + 8, y: at[1] - 17, text: room(row.name, at[0] + 8, at[1] - 17) ? row.name : "", fill: css("--ink-2"), font: "12px Inter, system-ui" } }
        ] };
      } }];
    return chart;
  }

  var kinds = { trend: trend, bars: bars, steps: steps, crosses: crosses };
  function each(selector, act) { Array.prototype.forEach.call(document.querySelectorAll(selector), act); }
  function draw() {
    each("[data-chart]", function (box) {
      if (!box.offsetWidth) { return; }
      var data = JSON.parse(box.getAttribute("data-chart"));
      var chart = window.echarts.getInstanceByDom(box) || window.echarts.init(box, null, { renderer: "svg" });
      var label = box.getAttribute("aria-label");
      chart.setOption(kinds[data.kind](data), true);
      box.setAttribute("aria-label", label);
      if (made.indexOf(chart) < 0) { made.push(chart); }
    });
  }
  addEventListener("DOMContentLoaded", function () {
    each(".astable.fold", function (table) {
      table.classList.remove("fold");
      if (window.echarts || !document.querySelector("[data-chart]")) { table.open = false; }
    });
    if (!window.echarts) { each("[data-chart]", function (box) { box.hidden = true; }); return; }
    draw();
    document.fonts.ready.then(draw);
    new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
    addEventListener("resize", function () { made.forEach(function (chart) { chart.resize(); }); draw(); });
  });
})();
