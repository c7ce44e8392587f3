"""What is asked for as a picture, a film or speech gets such a model; programs and texts that deal with them do not."""

import pytest

from agent_marketplace.recommend.results import results


@pytest.mark.parametrize(
    "text",
    [
        "Erase the person from the photo using Python OpenCV",
        "Blur the background of my picture in CSS",
        "Remove the text from the image component in React",
        "Replace text in image tags with regex",
        "Delete the person object from the picture table in SQL",
        "Change the text color in the portrait view of my app",
        "Change the logo in the picture element of my page",
        "Remove people from the image dataset where age < 18",
        "Restore the image from the docker registry backup",
        "In the script, blur the background of the photo",
        "Draw a triangle with turtle in Python",
        "Make an animation of the sidebar in React",
        "Upscale the image with a shell script",
    ],
)
def test_a_program_that_deals_with_pictures_is_not_sold_an_image_model(text: str) -> None:
    assert results(text.lower()) == []


@pytest.mark.parametrize(
    "text",
    [
        "draw up a contract",
        "Please sketch out a plan",
        "Sketch the proof of Fermat's little theorem",
        "Illustrate the concept of entropy",
        "Illustrate with an example how recursion works",
        "Please draw a distinction between the two",
        "Paint a picture of life in old Berlin in 500 words",
        "Create a movie recommendation system",
        "Make a movie list for the weekend",
        "Read this contract in a stern voice",
        "Read the story in a critical voice and tell me what is wrong",
    ],
)
def test_a_figure_of_speech_asks_for_a_text(text: str) -> None:
    assert results(text.lower()) == []


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("Erase the person from the photo", "image"),
        ("Remove the person from the picture of my class", "image"),
        ("Remove the watermark from the picture for my app", "image"),
        ("Remove the text from the image on my table", "image"),
        ("Blur the background of my picture in portrait mode. I know some Python", "image"),
        ("Draw a cat in a python costume", "image"),
        ("Draw a crown with rubies", "image"),
        ("Draw a floor plan of a small house", "image"),
        ("Illustrate a children's book about a fox", "image"),
        ("Generate a logo for my React app", "image"),
        ("Draw a concept car", "image"),
        ("Change the background of the photo to a database server room", "image"),
        ("Create a movie about a fox", "video"),
        ("Read this letter in a warm voice", "speech"),
    ],
)
def test_a_picture_a_film_and_speech_are_still_heard(text: str, output: str) -> None:
    assert [u.value for u in results(text.lower()) if u.kind == "output"] == [output]
