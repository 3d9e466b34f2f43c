"""The warehouse for those who speak HTTP: each request is one asynchronous call of Ice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from icegil import Ice
from pydantic import BaseModel

import Warehouse


class Item(BaseModel):
    name: str
    count: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # One communicator for the life of the process: it keeps the connection that all requests share.
    with Ice.initialize(["--Ice.Default.InvocationTimeout=5000"]) as communicator:
        stock = communicator.stringToProxy("stock:tcp -h localhost -p 14061")
        app.state.stock = Warehouse.StockPrx.uncheckedCast(stock)
        yield


app = FastAPI(title="Warehouse", lifespan=lifespan)


def stock_of(request: Request) -> Warehouse.StockPrx:
    return request.app.state.stock


Stock = Annotated[Warehouse.StockPrx, Depends(stock_of)]


@app.get("/items/{name}")
async def find(name: str, stock: Stock) -> Item:
    item = await Ice.wrap_future(stock.findAsync(name))
    return Item(name=item.name, count=item.count)


@app.post("/items/{name}/take")
async def take(name: str, count: Annotated[int, Query(gt=0)], stock: Stock) -> Item:
    try:
        item = await Ice.wrap_future(stock.takeAsync(name, count))
    except Warehouse.NotEnough as error:
        raise HTTPException(409, f"there are {error.count} left") from None
    return Item(name=item.name, count=item.count)


@app.exception_handler(Warehouse.UnknownItem)
async def on_unknown_item(request: Request, error: Warehouse.UnknownItem) -> JSONResponse:
    return JSONResponse({"detail": f"there is no {error.name}"}, 404)


@app.exception_handler(Ice.LocalException)
async def on_unreachable(request: Request, error: Ice.LocalException) -> JSONResponse:
    return JSONResponse({"detail": "the warehouse does not answer"}, 503)
