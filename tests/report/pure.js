/** Calls of the page's functions that touch no page: each a module, a name and arguments. */

import * as axes from "axes";
import * as cells from "cells";
import * as colours from "colours";
import * as passages from "passages";
import * as text from "text";

const modules = { axes, cells, colours, passages, text };
const special = { nan: NaN, inf: Infinity, "-inf": -Infinity };
const calls = JSON.parse(await new Response(Deno.stdin.readable).text());
const found = calls.map(([module, name, ...given]) => modules[module][name](...given.map((one) => special[one] ?? one)));
console.log(JSON.stringify(found, (_, value) => Number.isNaN(value) ? "nan" : value === Infinity ? "inf" : value));
