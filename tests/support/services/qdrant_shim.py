"""The REST calls of Qdrant that twin makes, over qdrant-edge: the real engine in this process, without the server around it.

    python3 qdrant_shim.py PORT FOLDER EDGE_PACKAGE_FOLDER

What only a real server can prove (alias changes under load, consensus, optimizers that run beside writes) is not proven here.
Collections lie in FOLDER and survive a kill. `POST /faults` has the next calls go wrong, for tests.
"""

import json
import os
import re
import shutil
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

port, folder, package = int(sys.argv[1]), sys.argv[2], sys.argv[3]
sys.path.insert(0, package)
import qdrant_edge as edge  # noqa: E402

VERSION = "1.18.0-edge"
BODY_LIMIT = 32 * 1024 * 1024


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Collection:
    """One shard of the engine, and how it was asked for."""

    def __init__(self, path, config, is_new):
        self.path, self.config, self.lock, self.operations = path, config, threading.RLock(), 0
        if is_new:
            os.makedirs(path)
            with open(os.path.join(path, "collection.json"), "w") as file:
                json.dump(config, file)
            os.makedirs(os.path.join(path, "shard"))
            self.shard = edge.EdgeShard.create(os.path.join(path, "shard"), edge_config(config))
        else:
            self.shard = edge.EdgeShard.load(os.path.join(path, "shard"))

    def schema(self):
        kinds = {"Keyword": "keyword", "Integer": "integer", "Float": "float", "Bool": "bool", "Uuid": "uuid", "Text": "text"}
        found = {}
        for name, info in self.shard.info().payload_schema.items():
            kind = kinds.get(str(info.data_type).rsplit(".", 1)[-1], "keyword")
            found[name] = {"data_type": kind, "points": info.points}
            if info.params is not None and getattr(info.params, "is_tenant", None):
                found[name]["params"] = {"type": kind, "is_tenant": True}
        return found

    def require_indexes(self, filter_, kind):
        """Strict mode: a filter on a field without an index is refused."""
        strict = self.config.get("strict_mode_config") or {}
        if not strict.get("enabled") or strict.get(f"unindexed_filtering_{kind}") is not False:
            return
        indexed = self.shard.info().payload_schema
        for key in keys_of(filter_):
            if key not in indexed:
                raise Refused(400, f'Bad request: Index required but not found for "{key}" of one of the following types: [keyword]')


def edge_config(config):
    quantization = (config.get("quantization_config") or {}).get("scalar")
    vectors = {}
    for name, params in (config.get("vectors") or {}).items():
        vectors[name] = edge.EdgeVectorParams(size=params["size"], distance=getattr(edge.Distance, params["distance"]))
    sparse = {}
    for name, params in (config.get("sparse_vectors") or {}).items():
        sparse[name] = edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf if params.get("modifier") == "idf" else None)
    scalar = edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8) if quantization else None
    return edge.EdgeConfig(vectors=vectors, sparse_vectors=sparse, quantization_config=scalar)


def keys_of(filter_):
    for condition in [*(filter_ or {}).get("must", []), *(filter_ or {}).get("should", []), *(filter_ or {}).get("must_not", [])]:
        if "key" in condition:
            yield condition["key"]
        else:
            yield from keys_of(condition)


def filter_of(asked):
    if asked is None:
        return None
    parts = {name: [condition_of(one) for one in asked.get(name) or []] for name in ("must", "should", "must_not")}
    return edge.Filter(**{name: conditions or None for name, conditions in parts.items()})


def condition_of(asked):
    if "has_id" in asked:
        return edge.HasIdCondition(set(asked["has_id"]))
    if "key" not in asked:
        return filter_of(asked)
    match, bounds = asked.get("match"), asked.get("range")
    if bounds is not None:
        return edge.FieldCondition(asked["key"], range=edge.RangeFloat(**{name: float(value) for name, value in bounds.items()}))
    if "any" in match:
        return edge.FieldCondition(asked["key"], match=edge.MatchAny(match["any"]))
    if "value" in match:
        return edge.FieldCondition(asked["key"], match=edge.MatchValue(match["value"]))
    raise Refused(400, f"Format error in JSON body: this condition is not known here: {json.dumps(asked)}")


def vector_in(asked):
    return {name: edge.SparseVector(value["indices"], value["values"]) if isinstance(value, dict) else value for name, value in asked.items()}


def vector_out(stored):
    if stored is None:
        return None
    return {
        name: {"indices": value.indices, "values": value.values} if isinstance(value, edge.SparseVector) else value
        for name, value in stored.items()
    }


def record(point):
    found = {"id": str(point.id), "payload": point.payload}
    if point.vector is not None:
        found["vector"] = vector_out(point.vector)
    return found


class Service:
    """Collections and aliases of one folder."""

    def __init__(self):
        self.lock = threading.RLock()
        self.collections, self.aliases, self.faults = {}, {}, []
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if not os.path.exists(os.path.join(path, "collection.json")):
                continue
            with open(os.path.join(path, "collection.json")) as file:
                self.collections[unquote(name)] = Collection(path, json.load(file), False)
        self.alias_file = os.path.join(folder, "aliases.json")
        if os.path.exists(self.alias_file):
            with open(self.alias_file) as file:
                self.aliases = json.load(file)

    def collection(self, name):
        with self.lock:
            found = self.collections.get(self.aliases.get(name, name))
        if found is None:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
        return found

    def create(self, name, body):
        with self.lock:
            if name in self.collections:
                raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
            if name in self.aliases:
                raise Refused(400, f"Wrong input: Can't create collection with name {name}. Alias with the same name already exists")
            path = os.path.join(folder, name.replace("%", "%25").replace("/", "%2F"))
            self.collections[name] = Collection(path, body, True)
        return True

    def drop(self, name):
        with self.lock:
            found = self.collections.pop(name, None)
            if found is None:
                return False
            with found.lock:
                found.shard.close()
                shutil.rmtree(found.path)
            self.aliases = {alias: target for alias, target in self.aliases.items() if target != name}
            self.save_aliases()
        return True

    def change_aliases(self, body):
        """All or nothing; a real server applies its actions one by one under one lock."""
        with self.lock:
            aliases = dict(self.aliases)
            for action in body["actions"]:
                ((kind, what),) = action.items()
                if kind == "create_alias":
                    if what["collection_name"] not in self.collections:
                        raise Refused(404, f"Not found: Collection `{what['collection_name']}` doesn't exist!")
                    if what["alias_name"] in self.collections:
                        raise Refused(409, f"Wrong input: Collection `{what['alias_name']}` already exists!")
                    aliases[what["alias_name"]] = what["collection_name"]
                elif kind == "delete_alias":
                    aliases.pop(what["alias_name"], None)
                elif kind == "rename_alias":
                    if what["old_alias_name"] not in aliases:
                        raise Refused(404, f"Not found: Alias {what['old_alias_name']} does not exists!")
                    aliases[what["new_alias_name"]] = aliases.pop(what["old_alias_name"])
            self.aliases = aliases
            self.save_aliases()
        return True

    def save_aliases(self):
        with open(self.alias_file + ".new", "w") as file:
            json.dump(self.aliases, file)
        os.replace(self.alias_file + ".new", self.alias_file)

    def alias_list(self, collection=None):
        with self.lock:
            pairs = [{"alias_name": alias, "collection_name": target} for alias, target in self.aliases.items()]
        return {"aliases": [pair for pair in pairs if collection in (None, pair["collection_name"])]}

    def info(self, name):
        found = self.collection(name)
        with found.lock:
            info, schema = found.shard.info(), found.schema()
        config = {
            "params": {key: found.config.get(key) for key in ("vectors", "sparse_vectors")},
            "hnsw_config": found.config.get("hnsw_config"),
            "quantization_config": found.config.get("quantization_config"),
            "strict_mode_config": found.config.get("strict_mode_config"),
        }
        return {"status": "green", "points_count": info.points_count, "segments_count": info.segments_count, "config": config, "payload_schema": schema}

    def create_index(self, name, body):
        found, schema = self.collection(name), body["field_schema"]
        kind, params = (schema, {}) if isinstance(schema, str) else (schema["type"], schema)
        types = {"keyword": edge.PayloadSchemaType.Keyword, "integer": edge.PayloadSchemaType.Integer}
        made = edge.KeywordIndexParams(is_tenant=True) if params.get("is_tenant") else types[kind]
        with found.lock:
            found.shard.update(edge.UpdateOperation.create_field_index(body["field_name"], made))
        return self.updated(found)

    def updated(self, found):
        found.operations += 1
        return {"operation_id": found.operations, "status": "completed"}

    def operate(self, found, operation):
        """One write: an upsert or a delete."""
        ((kind, what),) = operation.items()
        if kind == "upsert":
            points = [edge.Point(point["id"], vector_in(point["vector"]), point.get("payload")) for point in what["points"]]
            if not points:
                raise Refused(400, "Wrong input: Empty update request")
            mode = {"insert_only": edge.UpdateMode.InsertOnly, "update_only": edge.UpdateMode.UpdateOnly}.get(what.get("update_mode"))
            found.require_indexes(what.get("update_filter"), "update")
            with found.lock:
                found.shard.update(edge.UpdateOperation.upsert_points(points, filter_of(what.get("update_filter")), mode))
        elif kind == "delete" and "points" in what:
            with found.lock:
                found.shard.update(edge.UpdateOperation.delete_points(what["points"]))
        elif kind == "delete":
            found.require_indexes(what["filter"], "update")
            with found.lock:
                found.shard.update(edge.UpdateOperation.delete_points_by_filter(filter_of(what["filter"])))
        else:
            raise Refused(400, f"Format error in JSON body: unknown operation {kind}")
        return self.updated(found)

    def batch(self, name, body):
        found = self.collection(name)
        return [self.operate(found, operation) for operation in body["operations"]]

    def query(self, name, body):
        found = self.collection(name)
        found.require_indexes(body.get("filter"), "retrieve")
        asked, using = body["query"], body.get("using")
        if using not in {**(found.config.get("vectors") or {}), **(found.config.get("sparse_vectors") or {})}:
            raise Refused(400, f"Wrong input: Not existing vector name error: {using}")
        vector = edge.SparseVector(asked["indices"], asked["values"]) if isinstance(asked, dict) else asked
        request = edge.QueryRequest(
            limit=body.get("limit", 10),
            query=edge.Query.Nearest(vector, using=using),
            filter=filter_of(body.get("filter")),
            with_payload=body.get("with_payload", False),
            with_vector=body.get("with_vector", False),
        )
        with found.lock:
            points = found.shard.query(request)
        return {"points": [{**record(point), "score": point.score, "version": point.version} for point in points]}

    def scroll(self, name, body):
        found = self.collection(name)
        found.require_indexes(body.get("filter"), "retrieve")
        request = edge.ScrollRequest(
            limit=body.get("limit", 10),
            offset=body.get("offset"),
            filter=filter_of(body.get("filter")),
            with_payload=body.get("with_payload", True),
            with_vector=body.get("with_vector", False),
        )
        with found.lock:
            points, after = found.shard.scroll(request)
        return {"points": [record(point) for point in points], "next_page_offset": None if after is None else str(after)}

    def count(self, name, body):
        found = self.collection(name)
        found.require_indexes(body.get("filter"), "retrieve")
        with found.lock:
            return {"count": found.shard.count(edge.CountRequest(True, filter_of(body.get("filter"))))}

    def retrieve(self, name, body):
        found = self.collection(name)
        with found.lock:
            points = found.shard.retrieve(body["ids"], body.get("with_payload", True), body.get("with_vector", False))
        return [record(point) for point in points]

    def answer(self, method, path, body):
        whole = [unquote(part) for part in path.strip("/").split("/")]
        match (method, whole):
            case "GET", [""]:
                return None
            case "GET", ["collections"]:
                return {"collections": [{"name": name} for name in self.collections]}
            case "GET", ["aliases"]:
                return self.alias_list()
            case "POST", ["collections", "aliases"]:
                return self.change_aliases(body)
            case "GET", ["collections", name, "aliases"]:
                return self.alias_list(name)
            case "GET", ["collections", name, "exists"]:
                return {"exists": self.aliases.get(name, name) in self.collections}
            case "GET", ["collections", name]:
                return self.info(name)
            case "PUT", ["collections", name]:
                return self.create(name, body)
            case "DELETE", ["collections", name]:
                return self.drop(name)
            case "PUT", ["collections", name, "index"]:
                return self.create_index(name, body)
            case "PUT", ["collections", name, "points"]:
                return self.operate(self.collection(name), {"upsert": body})
            case "POST", ["collections", name, "points"]:
                return self.retrieve(name, body)
            case "POST", ["collections", name, "points", "delete"]:
                return self.operate(self.collection(name), {"delete": body})
            case "POST", ["collections", name, "points", "batch"]:
                return self.batch(name, body)
            case "POST", ["collections", name, "points", "query"]:
                return self.query(name, body)
            case "POST", ["collections", name, "points", "scroll"]:
                return self.scroll(name, body)
            case "POST", ["collections", name, "points", "count"]:
                return self.count(name, body)
        raise Refused(404, f"Not found: {method} {path}")

    def fault_of(self, method, path):
        """The next thing that shall go wrong with this call, if any."""
        with self.lock:
            for fault in self.faults:
                if fault["times"] > 0 and re.search(fault["match"], f"{method} {path}"):
                    fault["times"] -= 1
                    return fault
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    service = None

    def log_message(self, *_):
        pass

    def reply(self, status, body, headers=()):
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in [("content-type", "application/json"), ("content-length", str(len(content))), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def fail(self, status, message, headers=()):
        self.reply(status, {"status": {"error": message}, "time": 0.0}, headers)

    def handle_call(self):
        started = time.perf_counter()
        size = int(self.headers.get("content-length") or 0)
        content = self.rfile.read(size)
        url = urlsplit(self.path)
        if url.path == "/faults":
            self.service.faults = json.loads(content)
            return self.reply(200, {"result": True})
        key = os.environ.get("QDRANT_API_KEY")
        if key is not None and self.headers.get("api-key") != key:
            return self.fail(401, "Must provide an API key or an Authorization bearer token")
        if size > BODY_LIMIT:
            return self.fail(413, f"Payload error: JSON payload ({size} bytes) is larger than allowed (limit: {BODY_LIMIT} bytes).")
        fault = self.service.fault_of(self.command, url.path) or {}
        if "delayMs" in fault:
            time.sleep(fault["delayMs"] / 1000)
        if "status" in fault:
            return self.fail(fault["status"], fault.get("message", "Service internal error: this is a test"), list((fault.get("headers") or {}).items()))
        if fault.get("drop") == "before":
            self.close_connection = True
            return None
        try:
            result = self.service.answer(self.command, url.path, json.loads(content) if content else None)
        except Refused as refused:
            return self.fail(refused.status, str(refused))
        except KeyError as missing:
            return self.fail(400, f"Format error in JSON body: missing field {missing}")
        except Exception as error:  # The engine raises plain exceptions for wrong input.
            return self.fail(400, f"Wrong input: {error}")
        if fault.get("drop") == "after":
            self.close_connection = True
            return None
        if "result" in fault:
            result = [{**one, **fault["result"]} for one in result] if isinstance(result, list) else {**result, **fault["result"]}
        if url.path == "/":
            return self.reply(200, {"title": "qdrant - vector search engine", "version": VERSION})
        # Without `wait` a real server answers before it has written.
        waits = parse_qs(url.query).get("wait", ["false"])[0] == "true"
        if isinstance(result, dict) and result.get("status") == "completed" and not waits:
            result["status"] = "acknowledged"
        return self.reply(200, {"result": result, "status": "ok", "time": time.perf_counter() - started})

    do_GET = do_PUT = do_POST = do_DELETE = handle_call


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


os.makedirs(folder, exist_ok=True)
Handler.service = Service()
Server(("127.0.0.1", port), Handler).serve_forever()
