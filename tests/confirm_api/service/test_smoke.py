from tests.confirm_api.service.helpers import parcel, question, said


def test_a_question_is_posted_asked_answered_and_collected(story):
    receipt = story.post(question("one", 1, parcel("a"), parcel("b", serial=None)))
    assert receipt["refused"] == []
    assert story.state("one") == "sent"
    story.asks("one", said("a", "mine", "6864"), said("b", "mine"))
    assert story.states("one") == ["settled", "office"]
    found = story.collect()["answers"]
    assert [(one["state"], one["evidence_level"], one["proven"]) for one in found] == [
        ("settled", "challenge", True),
        ("office", "tap", False),
    ]
