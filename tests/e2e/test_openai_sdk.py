"""The official OpenAI client, as applications use it."""
import asyncio

import openai
import pytest

from conftest import ask, content

QUESTION = [{"role": "user", "content": "Who are you?"}]


@pytest.fixture(scope="module")
def sdk(walkthrough):
    with openai.OpenAI(base_url=f"{walkthrough.url()}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.mark.short
def test_a_chat_completion(sdk):
    answer = sdk.chat.completions.create(model="mymodel", messages=QUESTION)
    assert answer.object == "chat.completion" and answer.model == "mymodel"
    assert "simulated" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@pytest.mark.short
def test_responses_that_are_gone_on_with(sdk):
    first = sdk.responses.create(model="mymodel", input="Who are you?")
    assert first.status == "completed" and "simulated" in first.output_text
    assert first.usage.total_tokens == first.usage.input_tokens + first.usage.output_tokens
    with sdk.responses.stream(model="mymodel", input="Go on", previous_response_id=first.id, max_output_tokens=9) as told:
        text = "".join(event.delta for event in told if event.type == "response.output_text.delta")
    second = [event for event in sdk.responses.create(model="mymodel", input="Go on", previous_response_id=first.id,
                                                      max_output_tokens=9, stream=True)][-1].response
    assert text and second.status == "incomplete" and second.incomplete_details.reason == "max_output_tokens"
    assert second.previous_response_id == first.id and second.usage.output_tokens == 9
    assert second.usage.input_tokens > first.usage.total_tokens
    with pytest.raises(openai.NotFoundError, match="resp_none"):
        sdk.responses.create(model="mymodel", input="Go on", previous_response_id="resp_none")


@pytest.mark.short
def test_a_text_completion(sdk):
    answer = sdk.completions.create(model="mymodel", prompt="Once upon a time", max_tokens=5)
    assert answer.object == "text_completion" and answer.usage.completion_tokens == 5
    assert answer.choices[0].finish_reason == "length"


@pytest.mark.short
def test_a_streamed_chat_completion(sdk):
    chunks = list(sdk.chat.completions.create(model="travelhelper", messages=QUESTION, stream=True, max_tokens=9))
    assert {chunk.model for chunk in chunks} <= {"travel-helper-v1", "travel-helper-v2"}
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text.startswith("I am a simulated Qwen")


def test_a_streamed_text_completion(sdk):
    chunks = list(sdk.completions.create(model="mymodel", prompt="Once", max_tokens=7, stream=True))
    assert sum(bool(chunk.choices[0].text) for chunk in chunks) == 7


def test_several_choices(sdk):
    answer = sdk.chat.completions.create(model="mymodel", messages=QUESTION, n=3, max_tokens=4)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert answer.usage.completion_tokens == 12


def test_the_raw_response_tells_the_arm(sdk):
    raw = sdk.chat.completions.with_raw_response.create(model="mymodel", messages=QUESTION)
    assert raw.headers["x-serin-arm"] in ("pool-base/mymodel", "pool-candidate/mymodel")
    assert raw.parse().model == "mymodel"


@pytest.mark.short
def test_the_list_of_models_has_the_served_name_and_the_adapters_with_their_parent(sdk):
    lists = [list(sdk.models.list()) for _ in range(12)]
    assert all(models[0].id == "mymodel" for models in lists)
    adapters = [model for model in max(lists, key=len) if model.id.startswith("travel-helper-")]
    assert {model.id for model in adapters} == {"travel-helper-v1", "travel-helper-v2"}
    assert {model.parent for model in adapters} == {"mymodel"}


@pytest.mark.short
def test_a_model_that_nobody_serves_is_a_not_found_error(sdk):
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.chat.completions.create(model="no-such-model", messages=QUESTION)
    assert "no-such-model" in caught.value.message
    assert caught.value.response.headers["x-serin-arm"].endswith("/no-such-model")


def test_a_request_that_the_model_server_refuses_is_a_bad_request_error(sdk):
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.chat.completions.create(model="mymodel", messages=QUESTION, max_tokens=10_000_000)
    assert "context length" in caught.value.message


def test_a_request_that_the_gateway_refuses_is_an_error_with_its_code(sdk):
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.chat.completions.create(model="m" * 300, messages=QUESTION)
    assert caught.value.code == "model_too_long" and caught.value.type == "invalid_request_error"


def test_errors_of_the_model_server_map_to_the_sdk_s_exceptions(sdk, walkthrough):
    sims = walkthrough.sims()
    for status, kind in ((401, openai.AuthenticationError), (403, openai.PermissionDeniedError),
                         (422, openai.UnprocessableEntityError), (429, openai.RateLimitError),
                         (500, openai.InternalServerError), (503, openai.InternalServerError)):
        for sim in sims:
            sim.configure(error_rate=1, error_code=status)
        with pytest.raises(kind) as caught:
            sdk.chat.completions.create(model="mymodel", messages=QUESTION)
        assert caught.value.status_code == status
    for sim in sims:
        sim.configure(error_rate=0, error_code=500)
    assert sdk.chat.completions.create(model="mymodel", messages=QUESTION).model == "mymodel"


def test_async_streams_run_side_by_side(walkthrough):
    async def read(client, number):
        text = ""
        stream = await client.chat.completions.create(model="mymodel", messages=QUESTION, stream=True, max_tokens=60,
                                                      seed=number, extra_body={"ignore_eos": True})
        count = 0
        async for chunk in stream:
            piece = chunk.choices[0].delta.content or ""
            count += bool(piece)
            text += piece
        return count, text

    async def read_all():
        async with openai.AsyncOpenAI(base_url=f"{walkthrough.url()}/v1", api_key="none", max_retries=0) as client:
            return await asyncio.gather(*(read(client, number) for number in range(30)))

    results = asyncio.run(read_all())
    assert {count for count, _ in results} == {60}
    assert len({text for _, text in results}) > 10


def test_an_image_in_a_message_is_passed_on(sdk):
    picture = "data:image/png;base64," + "A" * 300_000
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": picture}}]
    answer = sdk.chat.completions.create(model="mymodel", messages=[{"role": "user", "content": parts}], max_tokens=4)
    assert answer.usage.completion_tokens == 4


def test_tools_and_unknown_members_are_passed_on(sdk, walkthrough):
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    answer = sdk.chat.completions.create(model="mymodel", messages=QUESTION, tools=tools, max_tokens=4,
                                         extra_body={"model_options": {"model": "inner"}, "future": [1, {"model": 2}]})
    assert answer.model == "mymodel"


def test_text_in_any_script_comes_back_unharmed(walkthrough):
    with walkthrough.client() as client:
        answer = ask(client, text="日本語 – ελληνικά – \U0001f426 – \u2028 – \\ \" \n", model="mymodel")
    assert content(answer).startswith("I am")
