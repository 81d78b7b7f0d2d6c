"""What a run did and how good it is: figures (`metrics`) and one self-contained page (`page`)."""
