"use strict";
fetch("/openapi.json").then((answer) => answer.json()).then((schema) => {
  const place = document.getElementById("routes");
  const add = (tag, text) => { const one = document.createElement(tag); one.textContent = text; place.append(one); };
  add("p", schema.info.description);
  for (const [path, verbs] of Object.entries(schema.paths)) for (const [verb, route] of Object.entries(verbs)) {
    add("h2", `${verb.toUpperCase()} ${path}`);
    add("p", route.summary || "");
    for (const one of route.parameters || []) add("p", `${one.in} ${one.name}: ${one.schema.description || one.description || one.schema.type}`);
    const body = route.requestBody && route.requestBody.content["application/json"];
    if (body) add("pre", JSON.stringify(schema.components.schemas[body.schema.$ref.split("/").pop()].properties, null, 1));
  }
});
